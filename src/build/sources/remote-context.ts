import { internal, invalidArgument } from '#kernel';
import type { ContextStore } from '../contexts/context-store.ts';
import type { Tree } from '../contexts/tree.ts';
import { rangeOf, streamRange } from '../files/file-range.ts';
import { isArchive } from '../files/is-archive.ts';
import { findGitSource, type GitSource } from '../graph/git-source.ts';
import type { CheckoutOptions, GitRepositories, GitWish } from './git-repositories.ts';
import type { DownloadOptions, HttpSource } from './http-source.ts';

/** What a build's context given by its address is. */
export interface RemoteContext {
  readonly tree: Tree;
  /** Name of the one file that there is, where the address is that of a Dockerfile and not of an archive. */
  readonly onlyFile: string | undefined;
  /** What the address leads to now: the number of a commit, or the digest of a file. */
  readonly identity: string;
}

export interface RemoteOptions extends CheckoutOptions, DownloadOptions {
  /** The folder `.git` comes along. */
  readonly keepGitDir?: boolean;
}

interface Parts {
  readonly contexts: ContextStore;
  readonly http: HttpSource;
  readonly git: GitRepositories;
}

/** Under which the one file stands that an address leads to. */
const fileName = 'context';

/** Whether this is a repository, or a file to be downloaded. */
export const isRemoteAddress = (text: string): boolean =>
  /^https?:\/\//.test(text) || findGitSource(text) !== undefined;

/** The repository that a context's address names: `github.com/a/b` does so, too. */
export function gitContextOf(address: string): GitSource | undefined {
  const found = findGitSource(address);
  return found?.looksLocal ? { ...found, remote: `https://${found.remote}` } : found;
}

/**
 * Fetches a context: a git repository, an archive, or a Dockerfile by itself. Nothing of it is left out for a
 * .dockerignore, as BuildKit has it: whoever publishes a context has seen to that. Throws invalidArgument.
 */
export async function openRemoteContext(
  { contexts, http, git }: Parts,
  address: string,
  options: RemoteOptions,
): Promise<RemoteContext> {
  const source = gitContextOf(address);
  if (source) {
    let identity = '';
    const onCommit = (commit: string): string => (identity = commit);
    const tree = await git.checkOut(wishOf(source, options), { ...options, onCommit });
    return { tree, onlyFile: undefined, identity };
  }
  if (!isRemoteAddress(address)) {
    throw invalidArgument(`remoteURL (${address}) could not be recognized as URL`);
  }
  return openFile(contexts, await http.fetch({ url: address, fileName, checksum: '' }, options), options);
}

/** The context that a client hands over as one stream of bytes, in place of an address. */
export async function receiveUpload(
  contexts: ContextStore,
  bytes: AsyncIterable<Uint8Array>,
  options: { readonly signal: AbortSignal },
): Promise<RemoteContext> {
  const file = { name: fileName, mode: 0o600, modTime: 0n };
  return openFile(contexts, await contexts.receiveFile(bytes, file, options), options);
}

const wishOf = (source: GitSource, { keepGitDir }: RemoteOptions): GitWish => ({
  ...{ remote: source.remote, ref: source.ref, subdir: source.subdir, checksum: source.checksum },
  keepGitDir: source.keepGitDir ?? keepGitDir === true,
  submodules: source.submodules !== false,
});

async function openFile(
  contexts: ContextStore,
  tree: Tree,
  options: { readonly signal: AbortSignal },
): Promise<RemoteContext> {
  const file = tree.get(fileName);
  if (!file?.stored) throw internal('a file that was received is not kept');
  const identity = `sha256:${file.digest}`;
  const contents = rangeOf(file.stored, file.size, contexts.files);
  if (!(await isArchive(contents, options.signal))) return { tree, onlyFile: fileName, identity };
  const files = await contexts.receiveTar(streamRange(contents), options);
  return { tree: files, onlyFile: undefined, identity };
}
