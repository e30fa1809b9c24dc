import { internal } from '#kernel';
import { parseSize } from '#logs';

/** `--storage-opt`: all that Docker knows is the size of the writable layer. Throws internal, as it does. */
export function storageLimit(options: Readonly<Record<string, string>>): { readonly sizeLimit?: number } {
  const entries = Object.entries(options);
  const unknown = entries.find(([name]) => name.toLowerCase() !== 'size');
  if (unknown) throw internal(`Unknown option ${unknown[0]}`);
  const [size] = entries;
  return size ? { sizeLimit: parseSize(size[1], 1024) } : {};
}
