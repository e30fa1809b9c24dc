import type { Setting } from '../solve.ts';
import { fieldsOf } from './pairs.ts';

/** `type=registry,ref=…` of --cache-from and --cache-to; a name alone is one of a registry. Throws buildx's texts. */
export function parseCache(text: string): Setting {
  if (!text.includes('=')) return { type: 'registry', attrs: { ref: text } };
  const { type, ...attrs } = Object.fromEntries(
    fieldsOf(text, (field) => {
      throw new Error(`invalid value ${field}`);
    }),
  ) as Record<string, string>;
  if (type === undefined || type === '') throw new Error(`type required form> ${JSON.stringify(text)}`);
  return { type, attrs };
}
