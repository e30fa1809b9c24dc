import { close, openAt, atCwd, openUnder } from '#linux';
import { constants } from 'node:fs';
import type { PlacedEntry } from '../archiver.ts';
import { Extractor, type Content } from './extractor.ts';
import { FileContent, noContent } from './file-content.ts';
import { LowerView } from './lower-view.ts';
import { openRoot } from './pack-tree.ts';

/** Contents that came with the entry. */
function heldContent({ from }: PlacedEntry): Content {
  if (typeof from !== 'object' || !('bytes' in from)) return noContent;
  let rest = Buffer.from(from.bytes);
  return {
    next: (limit) => {
      const part = rest.subarray(0, limit);
      rest = rest.subarray(part.length);
      return part;
    },
  };
}

/**
 * Puts entries under a root that nothing leaves, in their order. A folder is never replaced by something else, nor the
 * other way round: throws invalidArgument.
 */
export function placeEntries(
  { root, entries }: { root: string; entries: readonly PlacedEntry[] },
  check: () => void,
): void {
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const sources = new Map<string, number>();
  const sourceOf = (folder: string): number => {
    const fd = sources.get(folder) ?? openRoot(folder);
    sources.set(folder, fd);
    return fd;
  };
  const open = ({ from }: PlacedEntry): number | undefined => {
    if (from === undefined || (typeof from === 'object' && 'bytes' in from)) return undefined;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    if (typeof from === 'string') return openAt(atCwd, from, flags);
    return openUnder(sourceOf(from.root), from.path, { flags, resolve: 'root' });
  };
  try {
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
      const fd = open(entry);
      try {
        sink.add(entry.header, fd === undefined ? heldContent(entry) : new FileContent(fd, buffer));
      } finally {
        if (fd !== undefined) close(fd);
      }
    }
    sink.finish();
  } finally {
    for (const fd of sources.values()) close(fd);
  }
}
