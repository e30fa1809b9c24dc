import assert from 'node:assert/strict';
import { algorithmOf, type Digest } from '#oci';
import type { Bytes, ConformanceClient } from './conformance-client.ts';

/** One way of pushing a blob. The last answer is to have one of the statuses given. */
export type Upload = (
  client: ConformanceClient,
  repository: string,
  blob: { readonly digest: Digest; readonly bytes: Bytes },
  status?: number,
) => Promise<{ readonly headers: Headers; readonly body: Buffer }>;

const binary = { 'Content-Type': 'application/octet-stream' };

/** Without a body of its own unless the last chunk comes along. */
async function close(
  client: ConformanceClient,
  place: string,
  digest: Digest,
  status: number,
  more: { readonly headers?: Record<string, string>; readonly body?: Bytes } = {},
): Promise<{ readonly headers: Headers; readonly body: Buffer }> {
  return await client.expect(status, 'PUT', place, { query: [['digest', digest]], ...more });
}

/** What a chunk is sent with: its range, counted in at both ends. */
export const chunkHeaders = (start: number, chunk: Bytes): Record<string, string> => ({
  ...binary,
  'Content-Range': `${start}-${start + chunk.length - 1}`,
});

/** Sends a chunk and checks the answer: how far the upload is, and where it goes on. */
export async function sendChunk(
  client: ConformanceClient,
  place: string,
  start: number,
  chunk: Bytes,
): Promise<string> {
  const { headers } = await client.expect(202, 'PATCH', place, {
    headers: chunkHeaders(start, chunk),
    body: chunk,
  });
  assert.equal(headers.get('range'), `0-${start + chunk.length - 1}`, 'Range after a chunk');
  return client.locationOf(headers);
}

export const thirdOf = (bytes: Bytes): number => Math.ceil(bytes.length / 3);

const inChunks =
  (isLastWithPut: boolean): Upload =>
  async (client, repository, { digest, bytes }, status = 201) => {
    let { place } = await client.beginUpload(repository, algorithmOf(digest));
    const step = thirdOf(bytes);
    const last = isLastWithPut ? 2 * step : bytes.length;
    for (let at = 0; at < last; at += step) {
      place = await sendChunk(client, place, at, bytes.subarray(at, at + step));
    }
    const rest = bytes.subarray(last);
    return await close(
      client,
      place,
      digest,
      status,
      rest.length > 0 ? { headers: chunkHeaders(last, rest), body: rest } : {},
    );
  };

/** Every way of "Pushing blobs". */
export const uploads: Readonly<Record<string, Upload>> = {
  'in one POST': async (client, repository, { digest, bytes }, status = 201) =>
    await client.expect(status, 'POST', `/v2/${repository}/blobs/uploads/`, {
      headers: binary,
      query: [['digest', digest]],
      body: bytes,
    }),
  'by POST and PUT': async (client, repository, { digest, bytes }, status = 201) => {
    const { place } = await client.beginUpload(repository, algorithmOf(digest));
    return await close(client, place, digest, status, { headers: binary, body: bytes });
  },
  'in one chunk': async (client, repository, { digest, bytes }, status = 201) => {
    const { place } = await client.beginUpload(repository, algorithmOf(digest));
    return await close(client, await sendChunk(client, place, 0, bytes), digest, status);
  },
  'in three chunks': inChunks(false),
  'in three chunks, the last one with the PUT': inChunks(true),
  'as a stream': async (client, repository, { digest, bytes }, status = 201) => {
    const { place } = await client.beginUpload(repository, algorithmOf(digest));
    const middle = bytes.length >> 1;
    const answer = await client.expect(202, 'PATCH', place, {
      headers: binary,
      body: [bytes.subarray(0, middle), bytes.subarray(middle)],
    });
    return await close(client, client.locationOf(answer.headers), digest, status);
  },
};
