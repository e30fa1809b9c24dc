import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { succeed } from './commands.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where this machine gets its packages from. */
async function mirror(): Promise<string> {
  const files = {
    '/etc/apt/sources.list.d/debian.sources': /^URIs: *(\S+)/m,
    '/etc/apt/sources.list': /^deb .*?(http\S+)/m,
  };
  for (const [path, pattern] of Object.entries(files)) {
    const found = pattern.exec(await readFile(path, 'utf8').catch(() => ''))?.[1];
    if (found !== undefined) return found;
  }
  return 'http://deb.debian.org/debian';
}

/**
 * A folder with Debian packages of a suite (`bookworm`) unpacked in it, not installed: fetched once and kept under
 * `name`. The host's own package state stays as it is. What `drop` names in it (relative paths) is removed again.
 */
export const debianPackages = (
  name: string,
  suite: string,
  packages: readonly string[],
  drop: readonly string[] = [],
): Promise<string> =>
  cached(`debian/${name}`, async (folder) => {
    const apt = join(folder, '.apt');
    await mkdir(join(apt, 'lists/partial'), { recursive: true });
    await mkdir(join(apt, 'archives/partial'), { recursive: true });
    await writeFile(
      join(apt, 'sources.list'),
      `deb [signed-by=${keyring}] ${await mirror()} ${suite} main\n`,
    );
    const settings = {
      'Dir::Etc::sourcelist': join(apt, 'sources.list'),
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::State::lists': join(apt, 'lists'),
      'Dir::Cache': apt,
      'APT::Sandbox::User': 'root',
      'Acquire::Languages': 'none',
      // A mirror may be some days old.
      'Acquire::Check-Valid-Until': 'false',
    };
    const options = ['-qq', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
    await succeed('apt-get', [...options, 'update'], { timeout: 300_000 });
    const archives = join(apt, 'archives');
    await succeed('apt-get', [...options, 'download', ...packages], { cwd: archives, timeout: 600_000 });
    for (const file of await readdir(archives)) {
      if (file.endsWith('.deb')) await succeed('dpkg', ['-x', join(archives, file), folder]);
    }
    for (const path of ['.apt', ...drop]) await rm(join(folder, path), { recursive: true, force: true });
  });
