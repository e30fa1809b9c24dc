import type { StreamName } from './sink.ts';

/** The header of Docker's multiplexed frame: stream number, three zeros, payload length (big endian). */
export function frameHeader(stream: StreamName, length: number): Buffer {
  const header = Buffer.allocUnsafe(8);
  header.writeUInt32BE(stream === 'stdout' ? 0x01000000 : 0x02000000, 0);
  header.writeUInt32BE(length, 4);
  return header;
}
