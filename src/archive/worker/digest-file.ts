import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** The digest of a file's bytes in hex. */
export function digestOfFile(
  { path, algorithm }: { readonly path: string; readonly algorithm: string },
  check: () => void,
): string {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      check();
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}
