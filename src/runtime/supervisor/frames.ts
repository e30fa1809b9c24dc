import type { StreamName } from './sink.ts';

const HEADER_BYTES = 8;

/** Docker's multiplexed frame: stream number, three zeros, payload length (big endian), payload. Copies the payload. */
export function frame(stream: StreamName, payload: Buffer): Buffer {
  const result = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  result.writeUInt32BE(stream === 'stdout' ? 0x01000000 : 0x02000000, 0);
  result.writeUInt32BE(payload.length, 4);
  payload.copy(result, HEADER_BYTES);
  return result;
}
