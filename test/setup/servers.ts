import { cached } from './cache.ts';
import { succeed } from './commands.ts';
import { imageOf, writeArchive } from './images.ts';

/** Left out: documentation and the compiler of PostgreSQL's queries, which is half of the size. */
const left = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/lib/x86_64-linux-gnu/libLLVM*',
  '/usr/lib/postgresql/*/lib/bitcode/*',
];

/** Debian 12 with redis and PostgreSQL, one layer of 290 MB, made from Debian's packages (30 to 90 s the first time). */
const serversLayer = (): Promise<string> =>
  cached('images/servers-1/layer.tar', async (path) => {
    const made = `${path}.tar`; // mmdebstrap guesses the format from the name
    const excluded = left.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
    const tidy = '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*';
    const packages = '--include=ca-certificates,redis-server,postgresql';
    const args = ['--variant=minbase', '--quiet', packages, ...excluded, tidy, 'bookworm', made];
    await succeed('mmdebstrap', args, { timeout: 900_000 });
    await succeed('mv', [made, path]);
  });

/** A file for `docker load` with `servers:latest`. */
export const serversArchive = (): Promise<string> =>
  cached('images/servers-1/archive.tar', async (path) => {
    const image = await imageOf([await serversLayer()], { Cmd: ['bash'] });
    await writeArchive(path, [{ image, tags: ['servers:latest'] }]);
  });
