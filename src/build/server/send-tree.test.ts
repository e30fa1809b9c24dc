import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePacket, encodePacket, goModeOf, MessageBuffer, type FileStat, type Packet } from '#filesync';
import type { SentFile } from '../export/output-sink.ts';
import { sendTree, type PacketStream } from './send-tree.ts';

const stat = (path: string, type: 'file' | 'directory' = 'file', size = 0): FileStat => ({
  ...{ path, size, mode: goModeOf(type, 0o644), uid: 0, gid: 0, modTime: 0n, linkname: '' },
  ...{ devmajor: 0, devminor: 0, xattrs: new Map() },
});

const file = (path: string, text: string): SentFile => ({
  stat: stat(path, 'file', text.length),
  open: async function* () {
    await Promise.resolve();
    yield Buffer.from(text);
  },
});

const files = [file('a', 'first'), { stat: stat('b', 'directory') }, file('b/c', 'x'.repeat(200_000))];

/** A receiver that answers each packet with others. */
class Receiver implements PacketStream {
  readonly got: Packet[] = [];
  readonly #answer: (packet: Packet, receiver: Receiver) => readonly Packet[] | Error;
  readonly #outgoing: Uint8Array[] = [];
  readonly #buffer = new MessageBuffer();
  #state: 'open' | 'ended' | Error = 'open';
  #wake: () => void = () => undefined;

  constructor(answer: (packet: Packet, receiver: Receiver) => readonly Packet[] | Error) {
    this.#answer = answer;
  }

  async *messages(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#outgoing.shift();
      if (next) yield next;
      else if (this.#state instanceof Error) throw this.#state;
      else if (this.#state === 'ended') return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  sendFramed(frames: Uint8Array): Promise<void> {
    this.#buffer.push(frames);
    for (let message = this.#buffer.next(); message; message = this.#buffer.next()) {
      const packet = decodePacket(Uint8Array.from(message));
      this.got.push(packet);
      const answer = this.#answer(packet, this);
      if (answer instanceof Error) this.#state = answer;
      else this.#outgoing.push(...answer.map(encodePacket));
    }
    this.#wake();
    return Promise.resolve();
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake();
  }

  cancel(): void {
    this.#state = new Error('cancelled');
    this.#wake();
  }

  textOf(id: number): string {
    const parts = this.got.flatMap((packet) =>
      packet.type === 'data' && packet.id === id ? [packet.data] : [],
    );
    return Buffer.concat(parts).toString();
  }
}

const options = { signal: new AbortController().signal, onProgress: (): void => undefined };

test('sendTree() sends the list, then what is asked for, and ends when the receiver has everything', async () => {
  let missing = 2;
  const receiver = new Receiver((packet) => {
    // One is asked for before the list has ended.
    if (packet.type === 'stat' && packet.stat?.path === 'a') return [{ type: 'request', id: 0 }];
    if (packet.type === 'stat' && !packet.stat) return [{ type: 'request', id: 2 }];
    if (packet.type === 'data' && packet.data.length === 0) missing -= 1;
    return packet.type === 'data' && missing === 0 ? [{ type: 'end' }] : [];
  });
  let told = 0;
  await sendTree(receiver, files, { ...options, onProgress: (bytes) => (told = bytes) });
  const stats = receiver.got.filter((packet) => packet.type === 'stat');
  assert.deepEqual(
    stats.map((packet) => packet.stat?.path),
    ['a', 'b', 'b/c', undefined],
  );
  assert.equal(receiver.textOf(0), 'first');
  assert.equal(receiver.textOf(2).length, 200_000);
  assert.equal(receiver.got.at(-1)?.type, 'end');
  assert.ok(told > 200_000);
});

test('sendTree() rejects with what the receiver says, or when it leaves', async () => {
  const cases: readonly (readonly [readonly Packet[] | Error, RegExp])[] = [
    [[{ type: 'error', message: 'no space left on device' }], /no space left/],
    [[{ type: 'request', id: 1 }], /asked for a file that there is not: 1/],
    [new Error('the call ended'), /the call ended/],
  ];
  for (const [answer, message] of cases) {
    const receiver = new Receiver((packet) => (packet.type === 'stat' && !packet.stat ? answer : []));
    await assert.rejects(sendTree(receiver, files, options), message);
  }
});

test('sendTree() stops when it is no longer wanted', async () => {
  const abort = new AbortController();
  const receiver = new Receiver((packet) => {
    if (packet.type === 'stat' && !packet.stat) abort.abort(new Error('gone'));
    return [];
  });
  await assert.rejects(sendTree(receiver, files, { ...options, signal: abort.signal }), /gone/);
});
