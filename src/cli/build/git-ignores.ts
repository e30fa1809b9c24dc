import { lstatSync, readdirSync, readFileSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { gitIgnorePatterns, ignoreFileNames, PatternMatcher } from '#patterns';
import type { FileStat } from '#filesync';

/** git's own folder, which no .gitignore names. */
const own = '.git';

/**
 * What git leaves out of a checkout, as patterns of a .dockerignore: from .git/info/exclude and every .gitignore, those
 * of inner folders after those of outer ones.
 */
export function gitIgnores(root: string): readonly string[] {
  const patterns = [own, ...gitIgnorePatterns(textOf(join(root, own, 'info/exclude')))];
  collect(root, '', patterns);
  return patterns;
}

function collect(root: string, folder: string, patterns: string[]): void {
  patterns.push(...gitIgnorePatterns(textOf(join(root, folder, '.gitignore')), folder));
  const matcher = new PatternMatcher(patterns);
  for (const entry of entriesOf(join(root, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !matcher.excludes(path) && !matcher.excludes(`${path}/x`)) {
      collect(root, path, patterns);
    }
  }
}

/** Whether a folder is git's checkout and has no word on what of it is to be left out of builds. */
export function isUnfilteredCheckout(root: string, dockerfile: string): boolean {
  const names = [...ignoreFileNames(dockerfile), ...ignoreFileNames('Dockerfile')];
  return isThere(join(root, own)) && !names.some((name) => isThere(join(root, name)));
}

/** Files and bytes. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** What was sent of a context, and how much of it git leaves out. */
export class ContextCount {
  #all: Amount = { files: 0, bytes: 0 };
  #ignored: Amount = { files: 0, bytes: 0 };
  readonly #matcher: PatternMatcher;

  constructor(root: string) {
    this.#matcher = new PatternMatcher(gitIgnores(root));
  }

  add({ path, size }: FileStat): void {
    this.#all = plus(this.#all, size);
    if (this.#matcher.excludes(path)) this.#ignored = plus(this.#ignored, size);
  }

  get all(): Amount {
    return this.#all;
  }

  get ignored(): Amount {
    return this.#ignored;
  }
}

const plus = ({ files, bytes }: Amount, size: number): Amount => ({ files: files + 1, bytes: bytes + size });

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
