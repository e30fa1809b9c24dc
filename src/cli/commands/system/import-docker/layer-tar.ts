import { createReadStream, openSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A piece of a layer's tar: bytes as they are, or the contents of a file. */
type Piece = { readonly bytes: Buffer } | { readonly file: Buffer; readonly size: number };

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
      const { name, name_raw: raw = '' } = entry;
      const bytes = name === undefined ? Buffer.from(raw, 'base64') : Buffer.from(name);
      pieces.push({ file: Buffer.concat([Buffer.from(`${folder}/`), bytes]), size: entry.size });
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

async function* readExactly(path: Buffer, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  // Bun's streams take no path of bytes.
  const fd = openSync(path, 'r');
  for await (const chunk of createReadStream('', { fd, end: size - 1 }) as AsyncIterable<Buffer>) {
    left -= chunk.length;
    yield chunk;
  }
  if (left !== 0)
    throw new Error(`${path.toString()} is shorter than its layer says: the engine's files were changed`);
}
