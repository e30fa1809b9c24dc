import { createReadStream, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import { tarHeader, writeTar } from '#archive';
import type { NewTarEntry, TarType } from '#archive';
import { errnoOf } from '#kernel';
import type { Context } from '../../context.ts';
import type { CopyOptions } from './cp-from.ts';
import { findPath, followLink, hasMode, modeFolder, modeLink } from './path-stat.ts';

/** Copies into a container and returns the bytes of the archive; undefined when it came from standard input. */
export async function copyTo(
  context: Context,
  container: string,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<number | undefined> {
  const place = await resolveTarget(context, container, target);
  if (source === '-') {
    if (place.kind !== 'folder')
      throw new Error(
        `destination "${container.slice('/containers/'.length)}:${target}" must be a directory`,
      );
    await put(context, container, place.path, context.terminal.input(), options);
    return undefined;
  }
  const local = options.followLinks ? realpathSync(source) : resolve(source);
  const isFolder = isLocalFolder(source);
  const { folder, name } = chooseTarget(place, target, source, isFolder);
  let bytes = 0;
  const archive = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of writeTar(entries(local, name, options.keepOwners))) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  await put(context, container, folder, archive(), options);
  return bytes;
}

function isLocalFolder(source: string): boolean {
  try {
    return statSync(source).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      const link = lstatSync(source, { throwIfNoEntry: false });
      if (link) return false;
      throw new Error(`lstat ${resolve(source)}: no such file or directory`, { cause: error });
    }
    throw error;
  }
}

const put = (
  context: Context,
  container: string,
  path: string,
  stream: AsyncIterable<Uint8Array>,
  { keepOwners }: CopyOptions,
): Promise<void> =>
  context.engine.done({
    method: 'PUT',
    path: `${container}/archive`,
    query: { path, noOverwriteDirNonDir: 'true', copyUIDGID: keepOwners ? 'true' : undefined },
    stream,
    contentType: 'application/x-tar',
  });

interface Place {
  readonly path: string;
  readonly kind: 'folder' | 'file' | 'nothing';
}

async function resolveTarget(context: Context, container: string, target: string): Promise<Place> {
  let path = posix.isAbsolute(target) ? target : `/${target}`;
  let stat = await findPath(context, container, path);
  if (stat && hasMode(stat, modeLink)) {
    path = followLink(path, stat);
    stat = await findPath(context, container, path);
  }
  return { path, kind: !stat ? 'nothing' : hasMode(stat, modeFolder) ? 'folder' : 'file' };
}

/** The folder to unpack in and the name of the archive's root, by the rules of `docker cp`. */
function chooseTarget(
  place: Place,
  target: string,
  source: string,
  isFolder: boolean,
): { folder: string; name: string } {
  const contentOnly = /(^|\/)\.$/.test(source);
  const trimmed = place.path.replace(/\/+$/, '') || '/';
  if (place.kind === 'folder') {
    return { folder: trimmed, name: contentOnly && isFolder ? '.' : basename(resolve(source)) };
  }
  if (place.kind === 'file' && isFolder) throw new Error('cannot copy directory');
  if (place.kind === 'nothing' && !isFolder && target.endsWith('/')) throw new Error('no such directory');
  return { folder: posix.dirname(trimmed), name: posix.basename(trimmed) };
}

function typeOf(stats: Stats): TarType | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'symlink' : undefined;
}

/** The entries for a file or a whole folder; sockets, devices and pipes are left out. */
function* entries(path: string, name: string, keepOwners: boolean): Generator<NewTarEntry, void, undefined> {
  const stats = lstatSync(path);
  const type = typeOf(stats);
  if (!type) return;
  const header = tarHeader({
    name: type === 'folder' ? `${name}/` : name,
    type,
    linkName: type === 'symlink' ? readlinkSync(path) : '',
    mode: stats.mode & 0o7777,
    uid: keepOwners ? stats.uid : 0,
    gid: keepOwners ? stats.gid : 0,
    size: type === 'file' ? stats.size : 0,
    mtime: BigInt(Math.trunc(stats.mtimeMs)) * 1_000_000n,
  });
  yield { header, ...(type === 'file' && { content: createReadStream(path) }) };
  if (type !== 'folder') return;
  for (const child of readdirSync(path).sort())
    yield* entries(join(path, child), `${name}/${child}`, keepOwners);
}
