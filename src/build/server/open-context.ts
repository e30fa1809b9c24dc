import { fromBinary } from '@bufbuild/protobuf';
import { upload } from '#buildkit';
import { cleanPath, invalidArgument } from '#kernel';
import type { ContextStore } from '../contexts/context-store.ts';
import type { Tree, TreeEntry } from '../contexts/tree.ts';
import { sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import { gitContextOf, isRemoteAddress, type RemoteContext } from '../sources/remote-context.ts';
import type { Sources } from '../sources/sources.ts';
import type { BuildFiles } from './client-files.ts';
import type { ClientSession } from './client-session.ts';
import type { FrontendOptions } from './frontend-options.ts';
import type { BuildProgress } from './progress.ts';

/** Sets of files that do not come from the client, by the names by which they are asked for. */
export interface ForeignFiles {
  readonly sets: ReadonlyMap<string, SourceTree>;
  /** Name of the Dockerfile, where there is but one file. */
  readonly onlyFile: string | undefined;
}

export interface ContextParts {
  readonly sources: Sources;
  readonly contexts: ContextStore;
  readonly files: BuildFiles;
  readonly session: ClientSession | undefined;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
}

/** Host of addresses that mean a stream of bytes which the client holds. */
const sessionHost = 'buildkit-session';
const pullPath = '/moby.upload.v1.Upload/Pull';

/** Fetches the context that the options name by its address; nothing for the client's own. Throws invalidArgument. */
export async function openContext(parts: ContextParts, options: FrontendOptions): Promise<ForeignFiles> {
  const address = options[options['contextkey'] ?? 'context'];
  if (address === undefined || !isRemoteAddress(address)) return { sets: new Map(), onlyFile: undefined };
  const { tree, onlyFile } = await fetchContext(parts, address, options);
  const below = scopedTo(tree, options['contextsubdir'] ?? '');
  const source = sourceOfContext(below, (digest) => parts.contexts.path(digest));
  // A client may have the Dockerfile for a context from elsewhere.
  const isWhole = options['dockerfilekey'] === undefined;
  const names = isWhole ? ['context', 'dockerfile'] : ['context'];
  return { sets: new Map(names.map((name) => [name, source])), onlyFile: isWhole ? onlyFile : undefined };
}

async function fetchContext(
  { sources, session, files, progress, signal }: ContextParts,
  address: string,
  options: FrontendOptions,
): Promise<RemoteContext> {
  const isGit = gitContextOf(address) !== undefined;
  const title = isGit ? `load git source ${address}` : 'load remote build context';
  return progress.during(`[internal] ${title}`, async (step) => {
    const url = isGit ? undefined : new URL(address);
    if (url?.hostname === sessionHost) return sources.receive(pulled(session, url.pathname), { signal });
    return sources.open(address, {
      ...{ signal, access: files, keepGitDir: options['build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR'] === '1' },
      onOutput: (data) => step.output(data),
      onProgress: (received, total) => step.transferred('downloading:', received, total || undefined),
    });
  });
}

/** What the client holds under a path. */
async function* pulled(session: ClientSession | undefined, path: string): AsyncGenerator<Uint8Array, void> {
  if (!session) throw invalidArgument('no session of the client holds the context');
  const stream = session.openStream(pullPath, { urlpath: path, urlhost: sessionHost });
  stream.end();
  for await (const message of stream.messages()) yield fromBinary(upload.BytesMessageSchema, message).data;
}

/** What is in a folder of a tree; all of it for ''. */
function scopedTo(tree: Tree, folder: string): Tree {
  const path = cleanPath(`/${folder}`).slice(1);
  if (path === '') return tree;
  if (tree.get(path)?.type !== 'directory') throw invalidArgument(`the context has no folder ${folder}`);
  const below = new Map<string, TreeEntry>();
  for (const entry of tree.values()) {
    if (!entry.path.startsWith(`${path}/`)) continue;
    const inside = entry.path.slice(path.length + 1);
    const linkname = entry.type === 'hard-link' ? entry.linkname.slice(path.length + 1) : entry.linkname;
    below.set(inside, { ...entry, path: inside, linkname });
  }
  return below;
}
