import { invalidArgument } from '#kernel';
import { isDigest } from './digest.ts';
import type { Digest } from './types.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a JSON document whose top is an object. `what` names it in errors. Throws invalidArgument. */
export function parseObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalidArgument(`invalid ${what}: not a JSON document`, error);
  }
  return withoutNulls(asObject(value, what, 'document'));
}

export function asObject(value: unknown, what: string, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(`invalid ${what}: ${where} must be an object`);
  }
  // Narrowed above; JSON has no other objects.
  return value as JsonObject;
}

/** The object without its nulls, which Go writes for what is absent. */
export const withoutNulls = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

export function asArray(value: unknown, what: string, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidArgument(`invalid ${what}: ${where} must be a list`);
  return value;
}

export function asString(value: unknown, what: string, where: string): string {
  if (typeof value !== 'string') throw invalidArgument(`invalid ${what}: ${where} must be a string`);
  return value;
}

export function asDigest(value: unknown, what: string, where: string): Digest {
  const text = asString(value, what, where);
  if (!isDigest(text))
    throw invalidArgument(`invalid ${what}: ${where} ${JSON.stringify(text)} is no digest`);
  return text;
}

type Check = (value: unknown) => boolean;

export const isString: Check = (value) => typeof value === 'string';
export const isNumber: Check = (value) => typeof value === 'number';
export const isBoolean: Check = (value) => typeof value === 'boolean';
export const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);
export const isMap =
  (check: Check): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => check(each));
/** Go encodes an empty struct as `{}`, and reads null as one. */
export const isEmptyObject: Check = (value) =>
  value === null || (typeof value === 'object' && !Array.isArray(value));

/** Optional fields: absent and null pass; anything else must satisfy its check. Unknown fields pass. */
export function checkFields(
  object: JsonObject,
  fields: Readonly<Record<string, Check>>,
  what: string,
  where = '',
): void {
  for (const [name, check] of Object.entries(fields)) {
    const value = object[name];
    if (value !== undefined && value !== null && !check(value)) {
      throw invalidArgument(`invalid ${what}: ${where}${name} has the wrong type`);
    }
  }
}
