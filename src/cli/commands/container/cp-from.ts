import {
  chmodSync,
  createWriteStream,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readTar } from '#archive';
import type { TarEntry } from '#archive';
import { errnoOf } from '#kernel';
import type { Context } from '../../context.ts';
import { findPath, followLink, hasMode, modeFolder, modeLink, statHeader } from './path-stat.ts';

export interface CopyOptions {
  /** Keep uid and gid; only into a container, as docker does. */
  readonly keepOwners: boolean;
  readonly followLinks: boolean;
}

/** Copies out of a container and returns the bytes of the archive; undefined when it went to standard output. */
export async function copyFrom(
  context: Context,
  container: string,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<number | undefined> {
  const path = options.followLinks ? await resolveLink(context, container, source) : source;
  const answer = await context.engine.send({ method: 'GET', path: `${container}/archive`, query: { path } });
  if (target === '-') {
    for await (const chunk of answer.body) context.out.write(chunk);
    return undefined;
  }
  const stat = statHeader(answer.headers.get('x-docker-container-path-stat'));
  let place: string;
  try {
    place = chooseTarget(target, {
      name: basename(path.replace(/\/+$/, '')),
      isFolder: hasMode(stat, modeFolder),
      contentOnly: /(^|\/)\.$/.test(path),
    });
  } catch (error) {
    answer.destroy();
    throw error;
  }
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  await unpack(counted(), place);
  return bytes;
}

async function resolveLink(context: Context, container: string, path: string): Promise<string> {
  const stat = await findPath(context, container, path);
  return stat && hasMode(stat, modeLink) ? followLink(path, stat) : path;
}

interface Source {
  readonly name: string;
  readonly isFolder: boolean;
  /** `folder/.`: what is in it, not the folder itself. */
  readonly contentOnly: boolean;
}

/** Where the root of the archive goes, by the rules of `docker cp`. */
function chooseTarget(target: string, source: Source): string {
  const place = resolve(target);
  const found = findLocal(place);
  if (found === 'folder') return source.contentOnly ? place : join(place, source.name);
  if (found === 'file') {
    if (source.isFolder) throw new Error('cannot copy directory');
    if (target.endsWith('/')) throw new Error('not a directory');
    return place;
  }
  if (!source.isFolder && target.endsWith('/')) throw new Error('no such directory');
  if (findLocal(dirname(place)) !== 'folder') {
    throw new Error(`invalid output path: directory ${JSON.stringify(dirname(place))} does not exist`);
  }
  return place;
}

function findLocal(path: string): 'folder' | 'file' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function unpack(source: AsyncIterable<Uint8Array>, root: string): Promise<void> {
  const times: (readonly [string, number])[] = [];
  for await (const entry of readTar(source)) {
    const path = inside(root, entry.header.name);
    const made = await make(entry, path, root);
    if (!made) continue;
    const { mode, mtime, type } = entry.header;
    if (type === 'symlink' || type === 'hardlink') continue;
    chmodSync(path, mode);
    times.push([path, Number(mtime / 1_000_000n) / 1000]);
  }
  // Folders last: filling them changes their times.
  for (const [path, time] of times.reverse()) utimesSync(path, time, time);
}

/** The place of an entry below the root; the first part of its name is the root itself. Refuses to leave it. */
function inside(root: string, name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new Error(`refusing to unpack ${JSON.stringify(name)}: it leads out of the destination`);
  const below = name.startsWith('./') || name === '.' ? parts : parts.slice(1);
  let path = root;
  for (const part of below.slice(0, -1)) {
    path = join(path, part);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new Error(`refusing to unpack ${JSON.stringify(name)}: it passes through a symbolic link`);
    }
  }
  return join(root, ...below);
}

async function make(entry: TarEntry, path: string, root: string): Promise<boolean> {
  const { header } = entry;
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (header.type === 'folder') {
    if (!present || (!present.isDirectory() && path !== root)) {
      if (present) rmSync(path);
      mkdirSync(path, { recursive: true });
    }
    return true;
  }
  if (present?.isDirectory())
    throw new Error(`cannot overwrite directory ${JSON.stringify(path)} with non-directory`);
  // The destination itself may be a link that the user wants written through.
  if (present && !(path === root && present.isSymbolicLink())) rmSync(path);
  switch (header.type) {
    case 'file':
      await pipeline(entry.content, createWriteStream(path, { mode: 0o600 }));
      return true;
    case 'symlink':
      symlinkSync(header.linkName, path);
      return true;
    case 'hardlink':
      linkSync(inside(root, header.linkName), path);
      return true;
    default:
      // Devices and pipes have no meaning outside.
      return false;
  }
}
