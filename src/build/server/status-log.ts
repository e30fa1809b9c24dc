import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { StatusResponseSchema, type StatusResponse } from '#buildkit';

/** Bytes of a log; what a build writes beyond that is not kept. */
const largestLog = 16 * 1024 * 1024;

/** What was told of a build as a file: each message after its length, 4 bytes with the lowest first. */
export function encodeStatusLog(messages: readonly StatusResponse[], limit = largestLog): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const message of messages) {
    const data = toBinary(StatusResponseSchema, message);
    // Of a build that wrote too much, it is still told how its steps went.
    if (size + data.length > limit && message.vertexes.length === 0) continue;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(data.length);
    parts.push(length, data);
    size += length.length + data.length;
  }
  return Buffer.concat(parts);
}

export async function* decodeStatusLog(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<StatusResponse, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const end = at + 4 + rest.readUInt32LE(at);
      if (end > rest.length) break;
      yield fromBinary(StatusResponseSchema, rest.subarray(at + 4, end));
      at = end;
    }
    rest = rest.subarray(at);
  }
}
