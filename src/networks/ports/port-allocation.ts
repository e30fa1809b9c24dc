import { readFileSync } from 'node:fs';
import type { PortRequest } from '../networks.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** The host's ephemeral ports, which Docker publishes on when no port is asked for. */
export function ephemeralRange(): PortRange {
  try {
    const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    if (Number(first) > 0 && Number(last) >= Number(first))
      return { first: Number(first), last: Number(last) };
  } catch {
    // A host without that file has the kernel's default.
  }
  return { first: 32768, last: 60999 };
}

/** Which host ports to try for a request, in order. Ephemeral ones go round, so that a port just freed is not reused at once. */
export class PortCandidates {
  readonly #range: PortRange;
  #next: number;

  constructor(range: PortRange) {
    this.#range = range;
    this.#next = range.first;
  }

  *of(request: PortRequest): Generator<number> {
    if (request.hostPort) {
      for (let port = request.hostPort.first; port <= request.hostPort.last; port += 1) yield port;
      return;
    }
    const { first, last } = this.#range;
    for (let tried = first; tried <= last; tried += 1) {
      const port = this.#next;
      this.#next = port === last ? first : port + 1;
      yield port;
    }
  }
}

/** Whether only one port will do, so that its being taken is an error. */
export const isFixedPort = (request: PortRequest): boolean =>
  request.hostPort !== undefined && request.hostPort.first === request.hostPort.last;
