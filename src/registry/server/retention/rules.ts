/** What stays although a rule is about it; one that fits is enough. */
export interface Keep {
  /** So many tags, those pushed last. */
  readonly last?: number | undefined;
  /** Tags pushed within so many milliseconds. */
  readonly pushedWithin?: number | undefined;
  /** Tags pulled within so many milliseconds. */
  readonly pulledWithin?: number | undefined;
  /** Tags that fit a pattern. */
  readonly tags?: readonly string[] | undefined;
}

/** Which tags a repository gives up. The first rule that fits repository and tag decides; without one, a tag stays. */
export interface RetentionRule {
  /** Names, or patterns as in access rules. */
  readonly repositories: readonly string[];
  /** Names of tags, or patterns: which tags the rule is about. */
  readonly tags: readonly string[];
  readonly keep: Keep;
  /** Manifests that nothing names go after so many milliseconds; without it, they are left alone. */
  readonly untagged?: number | undefined;
}
