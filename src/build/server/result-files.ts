import { open } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { gateway } from '#buildkit';
import { goModeOf, type EntryType } from '#filesync';
import { invalidArgument, notFound, unimplemented } from '#kernel';
import { FilePattern } from '#patterns';
import type { TarType } from '#archive';
import type { BuildInput } from '../build-request.ts';
import { rangeIn } from '../files/file-range.ts';
import { resolveLinks, type SourceEntry, type SourceTree } from '../files/source-tree.ts';

type Stat = MessageInitShape<typeof gateway.StatSchema>;

const types: Readonly<Record<TarType, EntryType>> = {
  file: 'file',
  hardlink: 'file',
  folder: 'directory',
  symlink: 'symlink',
  fifo: 'fifo',
  character: 'character',
  block: 'block',
};

/** Bytes that are read at once. */
const largestRead = 16 * 1024 * 1024;

function sourceOf(input: BuildInput): SourceTree {
  if (input.kind === 'files') return input.source;
  throw unimplemented('reading files of what was built is not supported: export it');
}

function find(input: BuildInput, path: string): { readonly path: string; readonly entry: SourceEntry } {
  const source = sourceOf(input);
  const found = resolveLinks(source, path);
  const entry = found === undefined ? undefined : source.get(found);
  if (found === undefined || !entry) throw notFound(`open ${path}: no such file or directory`);
  return { path: found, entry };
}

/** Some of a file of a result; all of it without a range. Throws notFound. */
export async function readFileRange(
  input: BuildInput,
  path: string,
  range: { readonly offset: bigint; readonly length: bigint } | undefined,
): Promise<Uint8Array> {
  const { entry } = find(input, path);
  const contents = rangeIn(entry.from);
  if (!contents) throw invalidArgument(`read ${path}: is a directory`);
  const start = Number(range?.offset ?? 0n);
  const wanted = Math.max(0, Math.min(Number(range?.length ?? entry.header.size), entry.header.size - start));
  if (wanted > largestRead) throw invalidArgument(`${path} is larger than ${largestRead} bytes`);
  const file = await open(contents.file);
  try {
    const data = new Uint8Array(wanted);
    const { bytesRead } = await file.read(data, 0, wanted, contents.offset + start);
    return data.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Throws notFound. */
export function statFile(input: BuildInput, path: string): Stat {
  const found = find(input, path);
  return statOf(found.path, found.entry);
}

/** What is in a folder, by its own names; `pattern` chooses among them. Throws notFound. */
export function listFolder(input: BuildInput, folder: string, pattern: string): Stat[] {
  const { path } = find(input, folder);
  const chosen = pattern === '' ? undefined : new FilePattern(pattern);
  const prefix = path === '' ? '' : `${path}/`;
  return [...sourceOf(input)]
    .filter(([name]) => name !== '' && name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
    .map(([name, entry]) => statOf(name.slice(prefix.length), entry))
    .filter(({ path: name = '' }) => chosen?.matches(name) !== false);
}

const statOf = (path: string, { header }: SourceEntry): Stat => ({
  path: path.slice(path.lastIndexOf('/') + 1),
  mode: goModeOf(types[header.type], header.mode),
  uid: header.uid,
  gid: header.gid,
  size: BigInt(header.size),
  modTime: header.mtime,
  linkname: header.linkName,
});
