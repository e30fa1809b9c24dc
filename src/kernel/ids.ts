import { randomBytes } from 'node:crypto';

/** A fresh 64-digit hex id, as Docker gives containers, networks and execs. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    // Docker refuses ids whose short form is all digits, since tools mistake them for numbers.
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}

/** The first 12 digits: the form that people see. */
export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
