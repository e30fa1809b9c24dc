import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A piece of a layer's tar: bytes as they are, or the contents of a file. */
type Piece = { readonly bytes: Buffer } | { readonly file: string; readonly size: number };

/** How Docker's store keeps a layer: the tar's headers in one file, the files unpacked. */
export interface StoredLayer {
  /** Bytes of the tar. */
  readonly size: number;
  /** The tar as it was when the layer was made: its digest is the same again. */
  read(): AsyncGenerator<Uint8Array>;
}

interface TarSplitEntry {
  readonly type: number;
  readonly name?: string;
  /** base64, where the name is no valid UTF-8. */
  readonly name_raw?: string;
  readonly size?: number;
  readonly payload?: string | null;
}

const FILE = 1;
const SEGMENT = 2;

/** `split`: tar-split.json.gz of the layer; `folder`: where its files are. */
export function openStoredLayer(split: string, folder: string): StoredLayer {
  const pieces: Piece[] = [];
  let size = 0;
  for (const line of gunzipSync(readFileSync(split)).toString().split('\n')) {
    if (line === '') continue;
    // Docker's own file.
    const entry = JSON.parse(line) as TarSplitEntry;
    if (entry.type === SEGMENT) {
      const bytes = Buffer.from(entry.payload ?? '', 'base64');
      pieces.push({ bytes });
      size += bytes.length;
    } else if (entry.type === FILE && entry.size) {
      const name = entry.name ?? Buffer.from(entry.name_raw ?? '', 'base64').toString('latin1');
      pieces.push({ file: join(folder, name), size: entry.size });
      size += entry.size;
    }
  }
  return {
    size,
    async *read() {
      for (const piece of pieces) {
        if ('bytes' in piece) yield piece.bytes;
        else yield* readExactly(piece.file, piece.size);
      }
    },
  };
}

async function* readExactly(path: string, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of createReadStream(path, { end: size - 1 }) as AsyncIterable<Buffer>) {
    left -= chunk.length;
    yield chunk;
  }
  if (left !== 0) throw new Error(`${path} is shorter than its layer says: the engine's files were changed`);
}
