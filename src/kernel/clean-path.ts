import { posix } from 'node:path';

/** The shortest path of the same meaning, without a slash at its end: Go's path.Clean. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
