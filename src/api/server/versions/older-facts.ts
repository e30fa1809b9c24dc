import type { JsonObject } from './json-object.ts';

/** Under this key an answer carries what only older versions showed; it is never written as JSON. */
export const olderFacts: unique symbol = Symbol('facts for older versions');

/** What an answer carries for older versions. */
export function olderFactsOf(value: JsonObject): JsonObject {
  const facts = (value as { readonly [olderFacts]?: JsonObject })[olderFacts];
  return facts ?? {};
}
