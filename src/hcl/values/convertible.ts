import type { Type } from './value.ts';
import { anyType, isMapping, isPrimitive, isSequence, sameType, stringType } from './value.ts';

/** The type that values of all these types can become; undefined if there is none. */
export function unify(types: readonly Type[]): Type | undefined {
  const known = types.filter(({ kind }) => kind !== 'any');
  const [first] = known;
  if (!first) return anyType;
  if (known.every((type) => sameType(type, first))) return first;
  const kinds = new Set(known.map(({ kind }) => kind));
  const only = kinds.size === 1 ? first.kind : undefined;
  if (only === 'list' || only === 'set' || only === 'map') return collection(only, known);
  if (only === 'tuple') return tuples(known) ?? collection('list', known);
  if (only === 'object') return objects(known) ?? collection('map', known);
  if (areOnly(kinds, 'map', 'object')) return collection('map', known);
  if (areOnly(kinds, 'list', 'tuple')) return collection('list', known);
  if (kinds.has('object') && kinds.has('tuple')) return undefined;
  return preferred(kinds.has('string') ? [stringType, ...known] : known, known);
}

/** The first type that the others become without loss, or at all. */
const preferred = (candidates: readonly Type[], types: readonly Type[]): Type | undefined =>
  candidates.find((wanted) => types.every((type) => convertible(type, wanted, true))) ??
  candidates.find((wanted) => types.every((type) => convertible(type, wanted)));

const areOnly = (kinds: ReadonlySet<string>, a: string, b: string): boolean =>
  kinds.size === 2 && kinds.has(a) && kinds.has(b);

function collection(kind: 'list' | 'set' | 'map', types: readonly Type[]): Type | undefined {
  const elements = types.flatMap((type) => {
    if (type.kind === 'tuple') return type.elements;
    if (type.kind === 'object') return [...type.attributes.values()];
    return 'element' in type ? [type.element] : [];
  });
  const element = unify(elements);
  return element && { kind, element };
}

function tuples(types: readonly Type[]): Type | undefined {
  const each = types.flatMap((type) => (type.kind === 'tuple' ? [type.elements] : []));
  const length = each[0]?.length ?? 0;
  if (each.some((elements) => elements.length !== length)) return undefined;
  const elements = Array.from({ length }, (_, at) => unify(each.map((all) => all[at] ?? anyType)));
  return elements.every((type) => type !== undefined) ? { kind: 'tuple', elements } : undefined;
}

function objects(types: readonly Type[]): Type | undefined {
  const each = types.flatMap((type) => (type.kind === 'object' ? [type.attributes] : []));
  const names = [...(each[0]?.keys() ?? [])];
  if (each.some((attributes) => attributes.size !== names.length)) return undefined;
  const attributes = new Map<string, Type>();
  for (const name of names) {
    const found = each.flatMap((all) => all.get(name) ?? []);
    const type = found.length === each.length ? unify(found) : undefined;
    if (!type) return undefined;
    attributes.set(name, type);
  }
  return { kind: 'object', attributes };
}

/** Whether values of one type can become values of another, as far as the types tell. */
export function convertible(from: Type, to: Type, safely = false): boolean {
  if (to.kind === 'any' || from.kind === 'any' || sameType(from, to)) return true;
  if (isPrimitive(to)) return primitiveBecomes(from, to, safely);
  switch (to.kind) {
    case 'list':
    case 'set':
      return sequenceBecomes(from, to, safely);
    case 'map':
      return isMapping(from) && elementsBecome(from, to.element, safely);
    case 'tuple':
      return from.kind === 'tuple' && pairwise(from.elements, to.elements, safely);
    case 'object':
      return attributesBecome(from, to, safely);
    default:
      return false;
  }
}

const primitiveBecomes = (from: Type, to: Type, safely: boolean): boolean =>
  isPrimitive(from) && (to.kind === 'string' || (!safely && from.kind === 'string'));

/** A set has no order, so a list of its elements is no safe one. */
const sequenceBecomes = (from: Type, to: Type & { readonly element: Type }, safely: boolean): boolean =>
  isSequence(from) &&
  !(from.kind === 'set' && to.kind === 'list' && safely) &&
  elementsBecome(from, to.element, safely);

const pairwise = (from: readonly Type[], to: readonly Type[], safely: boolean): boolean =>
  from.length === to.length && from.every((type, at) => convertible(type, to[at] ?? anyType, safely));

function elementsBecome(from: Type, element: Type, safely: boolean): boolean {
  if (from.kind === 'tuple') return allBecome(from.elements, element, safely);
  if (from.kind === 'object') return allBecome([...from.attributes.values()], element, safely);
  return 'element' in from && convertible(from.element, element, safely);
}

function attributesBecome(from: Type, to: Extract<Type, { kind: 'object' }>, safely: boolean): boolean {
  if (from.kind === 'map') {
    return !safely && [...to.attributes.values()].every((type) => convertible(from.element, type));
  }
  if (from.kind !== 'object') return false;
  return [...to.attributes].every(([name, type]) => {
    const given = from.attributes.get(name);
    return given ? convertible(given, type, safely) : to.optional?.has(name) === true;
  });
}

const allBecome = (types: readonly Type[], element: Type, safely: boolean): boolean =>
  element.kind === 'any'
    ? types.length === 0 || unify(types) !== undefined
    : types.every((type) => convertible(type, element, safely));
