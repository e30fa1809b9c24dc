import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidArgument, type KeyedLock } from '#kernel';
import type { RegistryProxies } from '#registry/client';
import type { ContextStore } from '../contexts/context-store.ts';
import type { Tree } from '../contexts/tree.ts';
import type { GitVertex } from '../graph/vertex.ts';
import { during, GitFailure, hideLogin, runGit, type GitOptions } from './git-program.ts';
import { resolveReference, type GitReference } from './git-reference.ts';
import { gitLogin } from './git-login.ts';
import type { SourceAccess } from './source-access.ts';

/** What is wanted of a repository. */
export type GitWish = Omit<GitVertex, 'kind'>;

export interface CheckoutOptions {
  readonly signal: AbortSignal;
  readonly access: SourceAccess;
  readonly onOutput?: (data: Uint8Array) => void;
  /** Told which commit it is. */
  readonly onCommit?: (commit: string) => void;
}

/**
 * Files of git repositories. What was fetched of one stays, so that the next commit of it costs only what is new, and
 * so do the trees of commits: a ref that has not moved costs one question.
 */
export class GitRepositories {
  readonly #contexts: ContextStore;
  readonly #locks: KeyedLock;

  readonly #proxies: () => RegistryProxies;

  constructor(contexts: ContextStore, locks: KeyedLock, proxies: () => RegistryProxies) {
    this.#contexts = contexts;
    this.#locks = locks;
    this.#proxies = proxies;
  }

  async checkOut(wish: GitWish, options: CheckoutOptions): Promise<Tree> {
    const folder = join(this.#contexts.root, 'git');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using login = await gitLogin(wish.remote, options.access);
    const { onOutput } = options;
    const git: GitOptions = {
      ...{ signal: options.signal, folder, proxies: this.#proxies(), ...login.options },
      ...(onOutput && {
        onOutput: (data) => onOutput(Buffer.from(hideLogin(Buffer.from(data).toString(), wish.remote))),
      }),
    };
    const reference = await resolveReference(wish.remote, wish.ref, wish.checksum, git);
    options.onCommit?.(reference.commit);
    const key = `git ${JSON.stringify([wish.remote, reference.commit, reference.name, { ...wish, ref: '', checksum: '' }])}`;
    await using _lock = await this.#locks.acquire(`git ${wish.remote}`, options);
    const known = await this.#contexts.recall(key);
    if (known) return known;
    const repository = await this.#fetch(wish.remote, reference, git);
    // What is left there by an engine that died goes with its next start.
    const incoming = join(this.#contexts.root, 'incoming');
    await mkdir(incoming, { recursive: true });
    const place = await mkdtemp(join(incoming, 'checkout-'));
    try {
      const root = await checkOutInto(place, repository, wish, reference, git);
      return await this.#contexts.receiveFolder(root, { key, signal: options.signal });
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }

  /** A bare repository that holds the commit. */
  async #fetch(remote: string, { name, id }: GitReference, options: GitOptions): Promise<string> {
    const repository = join(options.folder, createHash('sha256').update(remote).digest('hex'));
    const git = (...args: string[]): Promise<string> =>
      runGit(args, { ...options, env: { GIT_DIR: repository } });
    const intact = join(repository, 'intact');
    // What a fetch that was killed has left, locks and all, is made anew.
    if (!existsSync(intact)) {
      await rm(repository, { recursive: true, force: true });
      const format = id.length === 64 ? ['--object-format=sha256'] : [];
      await git('init', '--quiet', '--bare', '--template=', ...format);
    }
    const has = (): Promise<boolean> =>
      git('cat-file', '-e', id).then(
        () => true,
        () => false,
      );
    if (existsSync(intact) && (await has())) return repository;
    await rm(intact, { force: true });
    const kept = `refs/fetched/${createHash('sha256').update(name).digest('hex')}`;
    try {
      await during('failed to fetch remote', remote, async () => {
        await fetchShallow(git, remote, `+${name}:${kept}`);
        // The branch may have moved meanwhile.
        if (!(await has())) await fetchShallow(git, remote, `+${id}:${kept}`);
      });
    } finally {
      if (!options.signal.aborted) await writeFile(intact, '');
    }
    return repository;
  }
}

/** Some servers give neither a part of the history, nor a commit by its number alone: then everything is fetched. */
async function fetchShallow(
  git: (...args: string[]) => Promise<string>,
  remote: string,
  wanted: string,
): Promise<void> {
  try {
    await git('fetch', '--depth=1', '--no-tags', '--no-write-fetch-head', '--', remote, wanted);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    if (!/shallow|--depth|not our ref|unadvertised object|want .* not valid/.test(error.output)) throw error;
    const everything = ['+refs/heads/*:refs/all/heads/*', '+refs/tags/*:refs/all/tags/*'];
    const isShallow = (await git('rev-parse', '--is-shallow-repository')).trim() === 'true';
    const depth = isShallow ? ['--unshallow'] : [];
    await git('fetch', ...depth, '--no-tags', '--no-write-fetch-head', '--', remote, ...everything);
  }
}

/** Checks a commit out below `place`; the folder that was wanted of it. */
async function checkOutInto(
  place: string,
  repository: string,
  { remote, subdir, keepGitDir, submodules }: GitWish,
  reference: GitReference,
  options: GitOptions,
): Promise<string> {
  const folders = subdir.split('/').filter((name) => name !== '' && name !== '.');
  const keeps = keepGitDir && folders.length === 0;
  const git = (args: readonly string[], allowsFiles = false): Promise<string> =>
    runGit(args, { ...options, folder: place, allowsFiles });
  const format = reference.id.length === 64 ? ['--object-format=sha256'] : [];
  await git(['init', '--quiet', ...(keeps ? [] : ['--template=']), ...format]);
  await git(['remote', 'add', 'origin', remote]);
  await during('failed to checkout remote', remote, async () => {
    if (keeps) {
      const target = reference.name.startsWith('refs/')
        ? [`${reference.id}:${reference.name}`]
        : [reference.id];
      // By a protocol, so that no file of the shared repository is linked into this one.
      await git(
        ['fetch', '--quiet', '--update-head-ok', '--depth=1', '--no-tags', `file://${repository}`, ...target],
        true,
      );
    } else {
      await writeFile(join(place, '.git/objects/info/alternates'), `${join(repository, 'objects')}\n`);
      const shallow = await readFile(join(repository, 'shallow')).catch(() => undefined);
      if (shallow) await writeFile(join(place, '.git/shallow'), shallow);
    }
    await git(['checkout', '--quiet', '--detach', reference.commit]);
  });
  if (submodules && existsSync(join(place, '.gitmodules'))) {
    await during('failed to update submodules for', remote, async () => {
      await git(['submodule', 'update', '--init', '--recursive', '--depth=1']);
      if (keeps) return;
      // Their .git points into what does not come along.
      const listing = `printf '%s\\0' "$displaypath"`;
      const args = ['submodule', '--quiet', 'foreach', '--recursive', listing];
      const list = await runGit(args, { ...options, folder: place, isQuiet: true });
      for (const path of list.split('\0').slice(0, -1)) await rm(join(place, path, '.git'), { force: true });
    });
  }
  if (keeps) {
    await git(['remote', 'set-url', 'origin', hideLogin(remote, remote)]);
    await git(['reflog', 'expire', '--all', '--expire=now']);
    await rm(join(place, '.git/FETCH_HEAD'), { force: true });
  } else {
    await rm(join(place, '.git'), { recursive: true, force: true });
  }
  return folderIn(place, folders);
}

/** A folder of a checkout, reached without following a link. */
async function folderIn(place: string, names: readonly string[]): Promise<string> {
  let path = place;
  const shown = `/${names.join('/')}`;
  for (const name of names) {
    path = join(path, name);
    const found = name === '..' ? undefined : await lstat(path).catch(() => undefined);
    if (!found)
      throw invalidArgument(
        `invalid subdir ${shown}: failed to lstat ${JSON.stringify(name)}: no such file or directory`,
      );
    if (!found.isDirectory()) {
      throw invalidArgument(
        `invalid subdir ${shown}: git subpath ${JSON.stringify(shown)} contains non-directory ${JSON.stringify(name)}`,
      );
    }
  }
  return path;
}
