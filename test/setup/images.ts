import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, link, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cached } from './cache.ts';
import { command, succeed } from './commands.ts';

/** An image as files: its configuration and its layers, uncompressed tars from the lowest up. */
export interface TestImage {
  readonly config: Buffer;
  readonly layers: readonly { readonly path: string; readonly diffId: string; readonly size: number }[];
}

export interface ImageSettings {
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
}

/** `sha256:…` of a file, read as a stream. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}

export const digestOf = (data: Uint8Array): string =>
  `sha256:${createHash('sha256').update(data).digest('hex')}`;

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const defaultEnv = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** An image of these layer tars. Different settings, for instance a label, give it an id of its own. */
export async function imageOf(layers: readonly string[], settings: ImageSettings): Promise<TestImage> {
  const described = await Promise.all(
    layers.map(async (path) => ({ path, diffId: await fileDigest(path), size: (await stat(path)).size })),
  );
  const created = '2026-01-02T03:04:05Z';
  const config = {
    architecture,
    os: 'linux',
    created,
    config: { Env: defaultEnv, ...settings },
    rootfs: { type: 'layers', diff_ids: described.map(({ diffId }) => diffId) },
    history: described.map((_, index) => ({ created, created_by: `layer ${index} of a test image` })),
  };
  return { config: Buffer.from(JSON.stringify(config)), layers: described };
}

/** The same layers under other settings, laid over those of the image. */
export function withSettings(image: TestImage, settings: ImageSettings): TestImage {
  const config = JSON.parse(image.config.toString()) as { config: ImageSettings };
  config.config = { ...config.config, ...settings };
  return { ...image, config: Buffer.from(JSON.stringify(config)) };
}

/** Writes what `docker save` writes: a tar with manifest.json, the configuration and the layers. */
export async function writeArchive(
  path: string,
  entries: readonly { image: TestImage; tags: readonly string[] }[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-archive-'));
  try {
    const manifest = [];
    for (const { image, tags } of entries) {
      const config = `${digestOf(image.config).slice(7)}.json`;
      await writeFile(join(folder, config), image.config);
      const layers = [];
      for (const layer of image.layers) {
        const name = `${layer.diffId.slice(7)}/layer.tar`;
        await mkdir(join(folder, layer.diffId.slice(7)), { recursive: true });
        await link(layer.path, join(folder, name)).catch(() => copyFile(layer.path, join(folder, name)));
        layers.push(name);
      }
      manifest.push({ Config: config, RepoTags: tags, Layers: layers });
    }
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    await succeed('tar', ['-C', folder, '--hard-dereference', '-cf', path, '.']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packs a folder as a layer: numeric owners as they are, times and order fixed. */
export async function packLayer(folder: string, path: string): Promise<void> {
  const options = ['--numeric-owner', '--sort=name', '--mtime=@1767323045', '--xattrs', '--xattrs-include=*'];
  await succeed('tar', ['-C', folder, ...options, '-cf', path, '.']);
}

async function makeBusyboxLayer(path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-busybox-'));
  try {
    for (const name of [
      'bin',
      'dev',
      'etc',
      'home',
      'root',
      'tmp',
      'usr/bin',
      'usr/sbin',
      'var/spool/mail',
      'var/www',
    ]) {
      await mkdir(join(folder, name), { recursive: true });
    }
    await chmod(join(folder, 'root'), 0o700);
    await chmod(join(folder, 'tmp'), 0o1777);
    const shell = join(folder, 'bin/busybox');
    await copyFile('/bin/busybox', shell);
    await chmod(shell, 0o755);
    for (const applet of (await succeed(shell, ['--list'])).split('\n')) {
      if (applet !== 'busybox') await link(shell, join(folder, 'bin', applet));
    }
    const users = 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n';
    await writeFile(join(folder, 'etc/passwd'), `${users}nobody:x:65534:65534:nobody:/home:/bin/false\n`);
    const groups = 'root:x:0:\ndaemon:x:1:\nadm:x:4:daemon\nwww-data:x:33:\n';
    await writeFile(join(folder, 'etc/group'), `${groups}nobody:x:65534:\n`);
    await succeed('chown', ['-R', '0:0', folder]);
    await packLayer(folder, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The root folder of busybox as a layer tar: Debian's static program with a hard link for each of its commands. */
export const busyboxLayer = (): Promise<string> => cached('images/busybox-1/layer.tar', makeBusyboxLayer);

/** `busybox:latest`, 2 MB, one layer, `sh` by default; has httpd, nc, nslookup and ping. */
export async function busyboxImage(settings: ImageSettings = {}): Promise<TestImage> {
  return imageOf([await busyboxLayer()], { Cmd: ['sh'], ...settings });
}

/** Debian 12 without documentation, about 170 MB, made from Debian's packages (20 to 60 s the first time). */
export async function debianImage(settings: ImageSettings = {}): Promise<TestImage> {
  const layer = await cached('images/debian-bookworm-1/layer.tar', async (path) => {
    // Without an exact name that ends in .tar mmdebstrap would guess the format wrongly.
    const made = `${path}.tar`;
    const args = ['--variant=minbase', '--quiet', '--include=ca-certificates', 'bookworm', made];
    await succeed('mmdebstrap', args, { timeout: 900_000 });
    await succeed('mv', [made, path]);
  });
  return imageOf([layer], { Cmd: ['bash'], ...settings });
}

async function archiveOf(
  name: string,
  tags: readonly string[],
  make: () => Promise<TestImage>,
): Promise<string> {
  return cached(`images/${name}.tar`, async (path) => writeArchive(path, [{ image: await make(), tags }]));
}

/** A file for `docker load` with `busybox:latest`. */
export const busyboxArchive = (): Promise<string> =>
  archiveOf('busybox-1/archive', ['busybox:latest'], () => busyboxImage());

/** A file for `docker load` with `debian:bookworm` and `debian:bookworm-slim`, one image. */
export const debianArchive = (): Promise<string> =>
  archiveOf('debian-bookworm-1/archive', ['debian:bookworm', 'debian:bookworm-slim'], () => debianImage());

/** gzip of a file, made once and kept beside it; igzip where there is one. */
export async function gzipped(path: string): Promise<{ path: string; digest: string; size: number }> {
  const packed = `${path}.gz`;
  const have = await stat(packed).catch(() => undefined);
  if (!have) {
    const temp = `${packed}.${process.pid}.tmp`;
    const fast = (await command('igzip', ['--version']).catch(() => undefined))?.code === 0;
    await succeed('sh', [
      '-c',
      `${fast ? 'igzip' : 'gzip -1'} -c "$1" >"$2" && mv "$2" "$3"`,
      'sh',
      path,
      temp,
      packed,
    ]);
  }
  return { path: packed, digest: await fileDigest(packed), size: (await stat(packed)).size };
}

/** The image's id: the digest of its configuration. */
export const imageId = (image: TestImage): string => digestOf(image.config);

/** A file's bytes, for layers and archives that a test wants to spoil. */
export const bytesOf = (path: string): Promise<Buffer> => readFile(path);
