import { readFileSync, writeSync } from 'node:fs';
import { addSeals } from './fifo.ts';
import { bind, check, close } from './libc.ts';

const memfdCreate = bind<(name: string, flags: number) => number>(
  'int memfd_create(const char *, unsigned int)',
);
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** SEAL | SHRINK | GROW | WRITE: what OCI runtimes look for before they trust their own program file. */
const ALL_SEALS = 0x0f;

/** An anonymous file in memory, close-on-exec. The caller closes it. */
export const createMemfd = (name: string): number =>
  check(memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create', name);

/** Writes all of `data` to a descriptor. */
export function writeAllSync(fd: number, data: Uint8Array): void {
  for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset);
}

/** A sealed copy of a program, executable as `/proc/self/fd/<n>`. The caller closes it. */
export function sealedCopy(path: string): number {
  const fd = createMemfd(path.slice(path.lastIndexOf('/') + 1));
  try {
    writeAllSync(fd, readFileSync(path));
    addSeals(fd, ALL_SEALS);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
