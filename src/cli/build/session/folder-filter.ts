import { PatternMatcher, type FolderMatch } from '#patterns';

/** What of a folder is asked for (fsutil's filter). */
export interface FilterOptions {
  /** Empty: everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** A second list of what is left out, whatever the first one says. */
  readonly hidden?: readonly string[];
}

/** What the filter knows of a folder, for what is in it: an answer of each of its lists. */
export type FolderState = readonly FolderMatch[];

export interface Verdict {
  readonly isWanted: boolean;
  /** For folders: whether anything below may be wanted. */
  readonly mayHoldWanted: boolean;
  readonly state: FolderState;
}

/** A list of patterns, and what matching one of them means. */
interface Rule {
  readonly list: PatternMatcher;
  readonly wants: boolean;
}

/** Decides path by path, on a walk from the root down, what is sent. Throws for patterns that are not well formed. */
export class FolderFilter {
  readonly #rules: readonly Rule[];

  constructor({ include, exclude, hidden = [] }: FilterOptions) {
    const rules = [
      { patterns: include, wants: true },
      { patterns: exclude, wants: false },
      { patterns: hidden, wants: false },
    ];
    this.#rules = rules
      .filter(({ patterns }) => patterns.length > 0)
      .map(({ patterns, wants }) => ({ list: new PatternMatcher(patterns), wants }));
  }

  /** `above`: the state of the folder that holds the path; undefined in the root. */
  decide(path: string, isFolder: boolean, above: FolderState | undefined): Verdict {
    // A list says "excluded" of what matches it.
    const state = this.#rules.map(({ list }, index) => list.at(path, above?.[index]));
    const passes = this.#rules.map(({ wants }, index) => state[index]?.excluded === wants);
    return {
      isWanted: passes.every(Boolean),
      mayHoldWanted:
        isFolder && this.#rules.every((rule, index) => passes[index] === true || mayPassBelow(rule, path)),
      state,
    };
  }
}

/** Whether something in a folder may pass that does not pass itself. */
const mayPassBelow = ({ list, wants }: Rule, folder: string): boolean =>
  wants ? list.mayMatchBelow(folder) : list.mayIncludeBelow(folder);
