import { posix } from 'node:path';

/** Under which name a file from the network is put: the last of its address. */
export function httpFileName(url: string): string {
  try {
    const name = posix.basename(decodeURIComponent(new URL(url).pathname));
    return name === '' || name === '.' || name === '..' ? '__unnamed__' : name;
  } catch {
    return '__unnamed__';
  }
}
