import { invalidArgument } from '#kernel';
import { parseBoolean, quoted } from '../dockerfile/go-text.ts';

/** A repository, or a folder of it, as ADD and build contexts name it: `https://host/a.git#ref:folder`. */
export interface GitSource {
  readonly remote: string;
  readonly ref: string;
  readonly subdir: string;
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean | undefined;
  /** `github.com/a/b`, which could be a path as well: only a build context is read like this. */
  readonly looksLocal: boolean;
}

const scpForm = /^[a-zA-Z0-9-_]+@[a-zA-Z0-9-.]+:(.*?)(?:\?(.*?))?(?:#(.*))?$/;
const schemeForm = /^([a-zA-Z0-9]+):\/\//;

interface Parts {
  readonly remote: string;
  readonly query: string;
  readonly fragment: string;
}

function splitUrl(text: string): Parts {
  const [address, fragment] = splitAt(text, '#');
  const [remote, query] = splitAt(address, '?');
  return { remote, query, fragment: decode(fragment) };
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The parts where the text is an address that git understands. */
function findParts(text: string): Parts | undefined {
  if (text.startsWith('./') || text.startsWith('../')) return undefined;
  const scheme = schemeForm.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return scpForm.test(text) ? splitUrl(text) : undefined;
  if (!['http', 'https', 'ssh', 'git'].includes(scheme)) return undefined;
  const parts = splitUrl(text);
  return scheme.startsWith('http') && !parts.remote.endsWith('.git') ? undefined : parts;
}

function flag(key: string, value: string | undefined): boolean {
  const read = value === undefined || value === '' ? true : parseBoolean(value);
  if (read === undefined) throw invalidArgument(`invalid ${key} value: ${quoted(value ?? '')}`);
  return read;
}

function agree(what: string, known: string | undefined, value: string): string {
  if (known === undefined || known === '' || known === value) return value;
  throw invalidArgument(`${what} conflicts: ${quoted(known)} vs ${quoted(value)}`);
}

const prefixed = (prefix: string, name: string): string => (name.startsWith(prefix) ? name : prefix + name);

const withoutValue = new Set(['submodules', 'keep-git-dir']);
const known = new Set(['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', ...withoutValue]);

function readQuery(query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (values.has(key)) throw invalidArgument(`query ${quoted(key)} has multiple values`);
    if (value === '' && !withoutValue.has(key)) throw invalidArgument(`query ${quoted(key)} has no value`);
    if (!known.has(key)) throw invalidArgument(`unexpected query ${quoted(key)}`);
    values.set(key, value);
  }
  return values;
}

/** Undefined for what is no git address; throws invalidArgument for one with a wrong query. */
export function findGitSource(text: string): GitSource | undefined {
  const looksLocal = text.startsWith('github.com/');
  const parts = looksLocal ? splitUrl(text) : findParts(text);
  if (!parts) return undefined;
  const [fragmentRef, fragmentSubdir] = splitAt(parts.fragment, ':');
  const query = readQuery(parts.query);
  let ref = agree('ref', fragmentRef, query.get('ref') ?? fragmentRef);
  const tag = query.get('tag');
  const branch = query.get('branch');
  if (tag !== undefined) ref = agree('ref', ref, prefixed('refs/tags/', tag));
  if (branch !== undefined) {
    if (tag !== undefined) throw invalidArgument('branch conflicts with tag');
    ref = agree('ref', ref, prefixed('refs/heads/', branch));
  }
  return {
    remote: parts.remote,
    ref,
    subdir: agree('subdir', fragmentSubdir, query.get('subdir') ?? fragmentSubdir),
    checksum: query.get('commit') ?? query.get('checksum') ?? '',
    keepGitDir: query.has('keep-git-dir') ? flag('keep-git-dir', query.get('keep-git-dir')) : undefined,
    submodules: query.has('submodules') ? flag('submodules', query.get('submodules')) : undefined,
    looksLocal,
  };
}

/** An address of a single file, and not of a repository. */
export const isHttpSource = (text: string): boolean =>
  /^https?:\/\//.test(text) && findGitSource(text) === undefined;
