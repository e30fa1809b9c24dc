/** Standard input of a build, of which the beginning has been looked at. */
export interface StandardInput {
  /** A tar, compressed or not. */
  readonly isArchive: boolean;
  chunks(): AsyncGenerator<Uint8Array, void>;
  /** All of it. */
  bytes(): Promise<Uint8Array>;
}

/** Bytes that tell a tar: the word `ustar` stands at 257. */
const looked = 512;
const compressed = [
  [0x1f, 0x8b, 0x08],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/** Looks at the beginning of the stream. Throws for an empty one. */
export async function readStandardInput(stream: AsyncIterable<Uint8Array>): Promise<StandardInput> {
  const iterator = stream[Symbol.asyncIterator]();
  let head = new Uint8Array();
  while (head.length < looked) {
    const next = await iterator.next();
    if (next.done) break;
    head = Uint8Array.from(Buffer.concat([head, next.value]));
  }
  if (head.length === 0) throw new Error('failed to read from stdin: it is empty');
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return {
    isArchive: isArchive(head),
    chunks,
    bytes: async () => Buffer.concat(await Array.fromAsync(chunks())),
  };
}

function isArchive(head: Uint8Array): boolean {
  if (compressed.some((magic) => magic.every((byte, at) => head[at] === byte))) return true;
  return Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar' || isOldTar(head);
}

/** A header of the seventh edition has no magic, but a checksum over itself. */
function isOldTar(head: Uint8Array): boolean {
  if (head.length < looked) return false;
  const written = parseInt(
    Buffer.from(head.subarray(148, 156))
      .toString('latin1')
      .replace(/[\0 ]+$/, ''),
    8,
  );
  let sum = 8 * 0x20;
  for (let at = 0; at < looked; at += 1) if (at < 148 || at >= 156) sum += head[at] ?? 0;
  return sum === written;
}
