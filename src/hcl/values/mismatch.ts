import type { Type } from './value.ts';
import { isMapping, sameType, typeName } from './value.ts';
import { convertible } from './convertible.ts';

const quote = (text: string): string => JSON.stringify(text);

/** Why values of one type do not become values of another, to end a sentence. */
export function mismatch(got: Type, wanted: Type): string {
  const required = `${typeName(wanted, true)} required`;
  if (got.kind === 'object' && wanted.kind === 'object') return objects(got, wanted);
  if (wanted.kind === 'list' || wanted.kind === 'set' || wanted.kind === 'map') {
    if (wanted.kind === 'map' ? !isMapping(got) : got.kind === 'map' || got.kind === 'object')
      return required;
    if (got.kind === 'tuple') {
      if (wanted.element.kind === 'any') return `all ${wanted.kind} elements must have the same type`;
      const at = got.elements.findIndex((type) => !convertible(type, wanted.element));
      return element(`element ${at}`, got.elements[at], wanted.element);
    }
    if (got.kind === 'object') {
      if (wanted.element.kind === 'any') return 'all map elements must have the same type';
      const [name, type] = [...got.attributes].find(([, each]) => !convertible(each, wanted.element)) ?? [
        '',
        undefined,
      ];
      return element(`element ${quote(name)}`, type, wanted.element);
    }
    if ('element' in got)
      return `incorrect ${wanted.kind} element type: ${mismatch(got.element, wanted.element)}`;
    return required;
  }
  return required;
}

const element = (place: string, got: Type | undefined, wanted: Type): string =>
  got ? `${place}: ${mismatch(got, wanted)}` : `all elements must be ${typeName(wanted, true)}`;

function objects(got: Type & { kind: 'object' }, wanted: Type & { kind: 'object' }): string {
  const missing = [...wanted.attributes.keys()]
    .filter((name) => !got.attributes.has(name) && wanted.optional?.has(name) !== true)
    .sort()
    .map(quote);
  const last = missing.at(-1);
  if (last !== undefined) {
    if (missing.length === 1) return `attribute ${last} is required`;
    const others = missing.slice(0, -1);
    return `attributes ${others.join(', ')}${others.length > 1 ? ',' : ''} and ${last} are required`;
  }
  for (const [name, type] of wanted.attributes) {
    const given = got.attributes.get(name);
    if (given && !sameType(given, type) && !convertible(given, type)) {
      return `attribute ${quote(name)}: ${mismatch(given, type)}`;
    }
  }
  return 'incorrect object attributes';
}
