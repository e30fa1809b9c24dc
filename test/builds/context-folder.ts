import { chmod, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { succeed } from '../setup/index.ts';
import type { ContextEntry } from './build-case.ts';

/** All files of a context have this time, so that archives of them are equal. */
const written = new Date('2026-01-02T03:04:05Z');
const compressors = { gzip: ['gzip', '-n'], bzip2: ['bzip2'], xz: ['xz'] } as const;

async function writeArchive(
  path: string,
  { archive, compression }: Extract<ContextEntry, { archive: unknown }>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-archive-'));
  try {
    await writeFiles(folder, archive);
    const tar = `${path}.tmp`;
    const options = ['--numeric-owner', '--sort=name', '--mtime=@1767323045', '--owner=0', '--group=0'];
    await succeed('tar', ['-C', folder, ...options, '-cf', tar, '.']);
    const [program, ...flags] = compression ? compressors[compression] : ['cat'];
    const script = 'p=$1; shift; out=$1; shift; "$@" <"$p" >"$out"; rm "$p"';
    await succeed('sh', ['-c', script, 'sh', tar, path, program, ...flags]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeEntry(folder: string, name: string, entry: ContextEntry): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  if (typeof entry === 'string') await writeFile(path, entry, { mode: 0o644 });
  else if ('link' in entry) await symlink(entry.link, path);
  else if ('hardLink' in entry) await link(join(folder, entry.hardLink), path);
  else if ('archive' in entry) await writeArchive(path, entry);
  else {
    if ('folder' in entry) await mkdir(path, { recursive: true });
    else await writeFile(path, entry.content);
    await chmod(path, entry.mode ?? ('folder' in entry ? 0o755 : 0o644));
  }
}

/** Writes the files of a context, in the order in which they are given. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, ContextEntry>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, entry] of Object.entries(files)) await writeEntry(folder, name, entry);
  for (const [name, entry] of Object.entries(files)) {
    if (typeof entry === 'string' || !('link' in entry)) await utimes(join(folder, name), written, written);
  }
}
