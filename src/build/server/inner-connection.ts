import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';

interface Piece {
  readonly data: Uint8Array;
}

/**
 * A connection whose bytes travel as the messages of one call, both ways. `open` gets our end of it; the generator
 * ends with the connection, and the connection with the call.
 */
export async function* connectInside(
  messages: AsyncIterable<Piece>,
  open: (socket: Duplex) => void,
): AsyncGenerator<Piece, void> {
  const [inner, outer] = duplexPair();
  open(inner);
  const received = receive(messages, outer).catch(() => inner.destroy());
  try {
    for await (const data of outer as AsyncIterable<Uint8Array>) yield { data };
  } finally {
    inner.destroy();
    outer.destroy();
    await received;
  }
}

async function receive(messages: AsyncIterable<Piece>, outer: Duplex): Promise<void> {
  for await (const { data } of messages) {
    if (outer.destroyed) return;
    if (data.length > 0 && !outer.write(data))
      await Promise.race([once(outer, 'drain'), once(outer, 'close')]);
  }
  outer.end();
}
