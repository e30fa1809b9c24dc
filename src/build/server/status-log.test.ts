import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, toJsonString } from '@bufbuild/protobuf';
import { StatusResponseSchema, type StatusResponse } from '#buildkit';
import { decodeStatusLog, encodeStatusLog } from './status-log.ts';

/** The bytes in pieces of a size. */
async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

const texts = (messages: readonly StatusResponse[]): readonly string[] =>
  messages.map((message) => toJsonString(StatusResponseSchema, message));

const vertex = create(StatusResponseSchema, { vertexes: [{ digest: 'sha256:1', name: 'one' }] });
const log = (size: number): StatusResponse =>
  create(StatusResponseSchema, { logs: [{ vertex: 'sha256:1', stream: 1n, msg: new Uint8Array(size) }] });

for (const size of [1, 7, 1000]) {
  test(`decodeStatusLog() gives back what was encoded, read ${size} bytes at a time`, async () => {
    const messages = [vertex, log(300), create(StatusResponseSchema, {})];
    const bytes = encodeStatusLog(messages);
    assert.deepEqual(texts(await Array.fromAsync(decodeStatusLog(inPieces(bytes, size)))), texts(messages));
  });
}

test('encodeStatusLog() leaves out output beyond its bound, but not how steps went', async () => {
  const bytes = encodeStatusLog([log(600), log(601), vertex], 1000);
  assert.deepEqual(
    texts(await Array.fromAsync(decodeStatusLog(inPieces(bytes, 512)))),
    texts([log(600), vertex]),
  );
});
