import { bind, check } from './libc.ts';

const pollCall = bind<(fds: Uint8Array, count: number, timeout: number) => number>(
  'int poll(void *, unsigned long, int)',
);
const POLLIN = 1;
const POLLHUP = 0x10;
const POLLERR = 0x08;
const ENTRY_BYTES = 8;

/** What poll(2) says of a descriptor now, without waiting. */
export interface Readiness {
  readonly fd: number;
  /** A pidfd's process has ended; a socket or FIFO has data or its end. */
  readonly readable: boolean;
  /** The other side is gone for both directions. */
  readonly hungUp: boolean;
}

/** poll(2) with timeout 0. */
export function pollNow(fds: readonly number[]): Readiness[] {
  const entries = Buffer.alloc(fds.length * ENTRY_BYTES);
  for (const [index, fd] of fds.entries()) {
    entries.writeInt32LE(fd, index * ENTRY_BYTES);
    entries.writeInt16LE(POLLIN, index * ENTRY_BYTES + 4);
  }
  check(pollCall(entries, fds.length, 0), 'poll');
  return fds.map((fd, index) => {
    const events = entries.readInt16LE(index * ENTRY_BYTES + 6);
    return { fd, readable: (events & POLLIN) !== 0, hungUp: (events & (POLLHUP | POLLERR)) !== 0 };
  });
}
