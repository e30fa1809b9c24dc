import { internal } from '#kernel';
import { paddingOf, type TarHeader } from './header.ts';
import { endOfArchive, formatHeader } from './write-header.ts';

/** An entry for an archive that is being written; content as long as header.size says. */
export interface NewTarEntry {
  readonly header: TarHeader;
  readonly content?: Uint8Array | AsyncIterable<Uint8Array>;
}

async function* dataOf(entry: NewTarEntry): AsyncGenerator<Uint8Array, void, undefined> {
  const { header, content } = entry;
  let written = 0;
  if (content instanceof Uint8Array) {
    written = content.length;
    yield content;
  } else if (content) {
    for await (const chunk of content) {
      written += chunk.length;
      if (written > header.size) break;
      yield chunk;
    }
  }
  if (written !== header.size) {
    throw internal(`${JSON.stringify(header.name)} is not ${header.size} bytes long, as was announced`);
  }
}

/** Writes a tar as a stream. */
export async function* writeTar(
  entries: AsyncIterable<NewTarEntry> | Iterable<NewTarEntry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const entry of entries) {
    yield formatHeader(entry.header);
    if (entry.header.type !== 'file') continue;
    yield* dataOf(entry);
    const padding = paddingOf(entry.header.size);
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield endOfArchive();
}
