import { invalidArgument, cleanPath, trim } from '#kernel';
import { FilePattern } from './file-pattern.ts';

/** What is known of a folder while walking: which patterns it or a folder above it matched. */
export interface FolderMatch {
  readonly excluded: boolean;
  readonly matched: readonly boolean[];
}

interface Entry {
  readonly pattern: FilePattern;
  readonly negated: boolean;
}

/** An ordered list of patterns, `!` taking back what those before it excluded; the last that matches counts. */
export class PatternMatcher {
  readonly #entries: readonly Entry[];

  /** Throws invalidArgument for a pattern that is not well formed. */
  constructor(patterns: readonly string[]) {
    this.#entries = patterns
      .map(trim)
      .filter((pattern) => pattern !== '')
      .map((pattern) => {
        const clean = cleanPath(pattern);
        if (!clean.startsWith('!')) return { pattern: new FilePattern(clean), negated: false };
        if (clean === '!') throw invalidArgument('illegal exclusion pattern: "!"');
        return { pattern: new FilePattern(clean.slice(1)), negated: true };
      });
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get hasNegations(): boolean {
    return this.#entries.some(({ negated }) => negated);
  }

  /** Whether a path, or a folder that it is in, is excluded. For single questions; walks ask at(). */
  excludes(path: string): boolean {
    const names = path.split('/');
    const above = names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
    let excluded = false;
    for (const { pattern, negated } of this.#entries) {
      if (negated !== excluded) continue;
      if (pattern.matches(path) || above.some((folder) => pattern.matches(folder))) excluded = !negated;
    }
    return excluded;
  }

  /**
   * The same question on a walk from the root down, with the answer of the folder above (undefined at the root).
   * A pattern that could not change a folder's answer is not remembered for what is in it, as in Docker's walk of
   * a build context: only the pattern itself is then tried on the paths below.
   */
  at(path: string, above: FolderMatch | undefined): FolderMatch {
    let excluded = false;
    const matched = this.#entries.map(({ pattern, negated }, index) => {
      const inherited = above?.matched[index] === true;
      if (!inherited && (negated !== excluded || !pattern.matches(path))) return false;
      excluded = !negated;
      return true;
    });
    return { excluded, matched };
  }

  /** Whether an excluded folder has to be walked nevertheless: a `!` pattern may bring back something in it. */
  mayIncludeBelow(folder: string): boolean {
    return this.#entries.some(({ pattern, negated }) => negated && pattern.mayMatchBelow(folder));
  }

  /** Whether something in a folder may match a pattern without `!`: of a list of what is wanted. */
  mayMatchBelow(folder: string): boolean {
    return this.#entries.some(({ pattern, negated }) => !negated && pattern.mayMatchBelow(folder));
  }
}
