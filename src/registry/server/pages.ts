import { json, type Answer, type Call } from './answer.ts';
import { RegistryError } from './registry-error.ts';

const largest = 1000;

/** The `n` and `last` of a list (distribution-spec, "Listing Tags"). Throws PAGINATION_NUMBER_INVALID. */
export function pageOf({ query }: Call): { readonly limit: number; readonly last: string } {
  const text = query.get('n');
  const limit = text === null ? largest : Number(text);
  if (text !== null && !/^\d+$/.test(text)) {
    throw new RegistryError(
      400,
      'PAGINATION_NUMBER_INVALID',
      `invalid number of results ${JSON.stringify(text)}`,
    );
  }
  return { limit: Math.min(limit, largest), last: query.get('last') ?? '' };
}

/** One page; `found` holds one more than asked for when there is another. */
export function page(
  path: string,
  limit: number,
  found: readonly string[],
  body: (names: readonly string[]) => object,
): Answer {
  const names = found.slice(0, limit);
  const last = names.at(-1);
  if (found.length <= limit || last === undefined) return json(body(names));
  const next = new URLSearchParams({ n: String(limit), last });
  return json(body(names), { Link: `<${path}?${next.toString()}>; rel="next"` });
}
