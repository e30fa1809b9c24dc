import { invalidArgument, notFound } from '#kernel';
import type { ContextStore } from './contexts/context-store.ts';
import type { Tree } from './contexts/tree.ts';
import { rangeIn, readRange } from './files/file-range.ts';
import { resolveLinks, sourceOfContext, type SourceTree } from './files/source-tree.ts';
import type { Sources } from './sources/sources.ts';
import { ignoreFileNames, parseIgnoreFile, PatternMatcher } from '#patterns';

/** A build context that came as a tar. */
export interface ArchiveContext {
  readonly dockerfile: string;
  readonly ignorePatterns: readonly string[];
  /** Without what is to be ignored. */
  readonly source: SourceTree;
}

const textLimit = 16 * 1024 * 1024;

/** Receives a context; `path` says which of its files is the Dockerfile. Throws notFound for none. */
export async function openArchiveContext(
  contexts: ContextStore,
  archive: AsyncIterable<Uint8Array>,
  path: string,
  options: { readonly signal: AbortSignal },
): Promise<ArchiveContext> {
  const tree = await contexts.receiveTar(archive, options);
  const whole = sourceOfContext(tree, contexts.files);
  const dockerfile = await readSourceText(whole, path);
  if (dockerfile === undefined) throw notFound(`Cannot locate specified Dockerfile: ${path}`);
  let ignorePatterns: readonly string[] = [];
  for (const name of ignoreFileNames(path)) {
    const text = await readSourceText(whole, name);
    if (text === undefined) continue;
    ignorePatterns = parseIgnoreFile(text);
    break;
  }
  const kept = withoutIgnored(tree, new PatternMatcher(ignorePatterns));
  return { dockerfile, ignorePatterns, source: sourceOfContext(kept, contexts.files) };
}

/** The same for a context by its address; nothing of it is ignored. Throws invalidArgument for none. */
export async function openAddressedContext(
  contexts: ContextStore,
  sources: Sources,
  address: string,
  path: string,
  options: { readonly signal: AbortSignal },
): Promise<ArchiveContext> {
  const access = { secret: () => Promise.resolve(undefined) };
  const { tree, onlyFile } = await sources.open(address, { ...options, access });
  const source = sourceOfContext(tree, contexts.files);
  const dockerfile = await readSourceText(source, onlyFile ?? path);
  if (dockerfile === undefined) throw notFound(`Cannot locate specified Dockerfile: ${path}`);
  return { dockerfile, ignorePatterns: [], source };
}

/** A file's text; undefined where it is missing. */
export async function readSourceText(source: SourceTree, path: string): Promise<string | undefined> {
  const entry = source.get(resolveLinks(source, path) ?? '');
  const contents = rangeIn(entry?.from);
  if (!entry || !contents) return undefined;
  if (entry.header.size > textLimit) throw invalidArgument(`${path} is larger than ${textLimit} bytes`);
  return (await readRange(contents)).toString();
}

/** A context without what .dockerignore names. */
export function withoutIgnored(tree: Tree, ignored: PatternMatcher): Tree {
  if (ignored.isEmpty) return tree;
  const kept = new Map([...tree].filter(([path]) => !ignored.excludes(path)));
  // What a `!` pattern brings back needs its folders.
  for (const path of [...kept.keys()]) {
    const names = path.split('/');
    for (let length = 1; length < names.length; length += 1) {
      const folder = tree.get(names.slice(0, length).join('/'));
      if (folder && !kept.has(folder.path)) kept.set(folder.path, folder);
    }
  }
  return new Map([...tree].filter(([path]) => kept.has(path)));
}
