import type { PlacedEntry } from '../archiver.ts';
import { Extractor } from './extractor.ts';
import { LowerView } from './lower-view.ts';
import { PlacedContents } from './placed-contents.ts';

/**
 * Puts entries under a root that nothing leaves, in their order. A folder is never replaced by something else, nor the
 * other way round: throws invalidArgument.
 */
export function placeEntries(
  { root, entries }: { root: string; entries: readonly PlacedEntry[] },
  check: () => void,
): void {
  using contents = new PlacedContents();
  using sink = new Extractor({
    root,
    path: '',
    lower: new LowerView([]),
    ownsRoot: true,
    keepKinds: true,
    check,
  });
  for (const entry of entries) {
    check();
    sink.add(entry.header, contents.of(entry));
  }
  sink.finish();
}
