import { readFileSync, writeFileSync } from 'node:fs';
import { errnoOf } from '#kernel';

// A path, not dots: link names may contain dots themselves.
const file = (name: string): string => `/proc/sys/${name}`;

/** The kernel parameter `net/ipv4/ip_forward` of the thread's network namespace, or undefined if there is none. */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(file(name), 'utf8').trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Sets a parameter unless it has that value already. Synchronous, as the thread's namespace decides what is meant. */
export function writeSysctl(name: string, value: string): void {
  if (readSysctl(name) !== value) writeFileSync(file(name), value);
}
