interface Listed {
  readonly Id?: unknown;
  readonly RepoTags?: unknown;
}

/** The tests' own busybox has another id on each machine: it comes first. */
const keyOf = ({ Id, RepoTags }: Listed): string =>
  Array.isArray(RepoTags) && RepoTags.includes('busybox:latest') ? '' : String(Id);

/** Images in an order of their own: engines list those of the same second in any order. */
export const inOrder = <T extends Listed>(images: readonly T[]): readonly T[] =>
  images.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
