import { invalidArgument } from '#kernel';
import type { Exchange } from '../exchange.ts';

/** A map of the query in JSON; values that are null are left out: they come from the client's environment. */
export function mapOf({ query }: Exchange, name: string): Readonly<Record<string, string>> {
  const text = query.text(name);
  if (text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`invalid ${name}: ${text}`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(`invalid ${name}: ${text}`);
  }
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(entries.map(([key, each]) => [key, String(each)]));
}

/** A list of the query in JSON. */
export function listOf(text: string, name: string): readonly string[] {
  const list = text === '' ? [] : (parsed(text, name) ?? []);
  if (!Array.isArray(list)) throw invalidArgument(`invalid ${name} specified: ${text}`);
  return list.map(String);
}

export function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`invalid ${name} specified: ${text}`, error);
  }
}
