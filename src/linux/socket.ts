import type { Duplex } from 'node:stream';
import { pollNow } from './poll.ts';

/** Node keeps the handle to itself. */
interface WithHandle {
  readonly _handle?: { readonly fd?: number } | null;
}

/** The descriptor under a socket, for system calls that Node does not offer; undefined for streams without one. */
export function descriptorOf(socket: Duplex): number | undefined {
  // A private property: there is no public way to it.
  const fd = (socket as unknown as WithHandle)._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

/** Whether the other side has closed both directions; after its end of sending Node does not notice by itself. */
export function isHungUp(socket: Duplex): boolean {
  const fd = descriptorOf(socket);
  return fd !== undefined && pollNow([fd])[0]?.hungUp === true;
}
