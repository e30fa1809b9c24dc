import { writeSync } from 'node:fs';
import { errnoOf } from '#kernel';

/** One of the program's output streams. Writing is synchronous: process.stdout alone would cost 13 ms. */
export interface Output {
  write(bytes: string | Uint8Array): void;
}

/** The reader has gone; the program ends quietly. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

/** Writes to a descriptor, waiting where it is full. */
export function descriptorOutput(fd: number): Output {
  return {
    write(bytes) {
      let rest = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      while (rest.length > 0) {
        try {
          rest = rest.subarray(writeSync(fd, rest));
        } catch (error) {
          const code = errnoOf(error);
          if (code === 'EPIPE') throw new BrokenPipe();
          if (code !== 'EAGAIN') throw error;
          // Another process made the terminal or pipe non-blocking.
          Atomics.wait(pause, 0, 0, 2);
        }
      }
    },
  };
}

const pause = new Int32Array(new SharedArrayBuffer(4));
