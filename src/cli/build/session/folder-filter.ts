import { PatternMatcher, type FolderMatch } from '#patterns';

/** What of a folder is asked for (fsutil's filter). */
export interface FilterOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What the filter knows of a folder, for what is in it. */
export interface FolderState {
  readonly include: FolderMatch | undefined;
  readonly exclude: FolderMatch | undefined;
}

export interface Verdict {
  readonly isWanted: boolean;
  /** For folders: whether anything below may be wanted. */
  readonly mayHoldWanted: boolean;
  readonly state: FolderState;
}

/** Decides path by path, on a walk from the root down, what is sent. Throws for patterns that are not well formed. */
export class FolderFilter {
  readonly #include: PatternMatcher | undefined;
  readonly #exclude: PatternMatcher | undefined;

  constructor({ include, exclude }: FilterOptions) {
    if (include.length > 0) this.#include = new PatternMatcher(include);
    if (exclude.length > 0) this.#exclude = new PatternMatcher(exclude);
  }

  /** `above`: the state of the folder that holds the path; undefined in the root. */
  decide(path: string, isFolder: boolean, above: FolderState | undefined): Verdict {
    const include = this.#include?.at(path, above?.include);
    const exclude = this.#exclude?.at(path, above?.exclude);
    // A list of what is included says "excluded" of what matches it.
    const isIncluded = include?.excluded ?? true;
    const isExcluded = exclude?.excluded ?? false;
    return {
      isWanted: isIncluded && !isExcluded,
      mayHoldWanted: isFolder && this.#reachesBelow(path, isIncluded, isExcluded),
      state: { include, exclude },
    };
  }

  #reachesBelow(folder: string, isIncluded: boolean, isExcluded: boolean): boolean {
    if (!isIncluded && this.#include?.mayMatchBelow(folder) === false) return false;
    return !isExcluded || this.#exclude?.mayIncludeBelow(folder) === true;
  }
}
