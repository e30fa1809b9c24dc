import { invalidArgument } from '#kernel';
import { during, runGit, type GitOptions } from './git-program.ts';

/** What a ref of a repository stands for now. */
export interface GitReference {
  /** `refs/heads/main`; the commit itself where it was asked for by its number. */
  readonly name: string;
  /** Of the commit, or of the annotated tag. */
  readonly id: string;
  /** Of the commit, behind a tag too. */
  readonly commit: string;
}

const fullId = /^(?:[a-f0-9]{40}|[a-f0-9]{64})$/;

/** Throws invalidArgument where the repository cannot be asked, or has no such ref, or another commit than `checksum`. */
export async function resolveReference(
  remote: string,
  ref: string,
  checksum: string,
  options: GitOptions,
): Promise<GitReference> {
  if (checksum !== '' && !/^[a-fA-F0-9]+$/.test(checksum)) {
    throw failed(`invalid checksum ${checksum} for Git URL, expected hex commit hash`);
  }
  const found = fullId.test(ref) ? { name: ref, id: ref, commit: ref } : await ask(remote, ref, options);
  const ids = [...new Set([found.id, found.commit])];
  if (ids.some((id) => id.startsWith(checksum))) return found;
  throw failed(`expected checksum to match ${checksum}, got ${ids.join(' or ')}`);
}

const failed = (message: string): Error => invalidArgument(`failed to load cache key: ${message}`);

async function ask(remote: string, ref: string, options: GitOptions): Promise<GitReference> {
  const wanted = ref === '' ? await defaultBranch(remote, options) : ref;
  if (wanted.startsWith('-')) throw failed(`invalid git ref ${wanted}`);
  const args = ['ls-remote', '--', remote, wanted, `${wanted}^{}`];
  const answer = await during('failed to load cache key: failed to fetch remote', remote, () =>
    runGit(args, options),
  );
  const ids = new Map<string, string>();
  for (const line of answer.split('\n')) {
    const [id = '', name = ''] = line.split('\t');
    if (fullId.test(id)) ids.set(name, id);
  }
  // A branch comes before a tag of the same name, as everywhere in git.
  const bare = (prefix: string): string =>
    prefix + (wanted.startsWith(prefix) ? wanted.slice(prefix.length) : wanted);
  for (const name of [bare('refs/'), bare('refs/heads/'), bare('refs/tags/')]) {
    const id = ids.get(name);
    if (id !== undefined) return { name, id, commit: ids.get(`${name}^{}`) ?? id };
  }
  throw failed(`repository does not contain ref ${wanted}, output: ${JSON.stringify(answer)}`);
}

async function defaultBranch(remote: string, options: GitOptions): Promise<string> {
  const what = 'failed to load cache key: error fetching default branch for repository';
  const answer = await during(what, remote, () =>
    runGit(['ls-remote', '--symref', '--', remote, 'HEAD'], options),
  );
  const [, name] = /^ref: (\S+)\tHEAD$/m.exec(answer) ?? [];
  if (name === undefined) throw failed(`could not find default branch for repository: ${remote}`);
  return name;
}
