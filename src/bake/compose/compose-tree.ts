import { messageOf } from '#kernel';
import { parseAllDocuments } from 'yaml';
import { interpolate } from './interpolate.ts';

/** A part of a compose file: what YAML says, with variables put in. */
export type ComposeNode = string | number | boolean | null | readonly ComposeNode[] | ComposeMap;
export interface ComposeMap {
  readonly [key: string]: ComposeNode;
}

export const isMap = (node: ComposeNode | undefined): node is ComposeMap =>
  typeof node === 'object' && node !== null && !Array.isArray(node);

const isList = (node: ComposeNode | undefined): node is readonly ComposeNode[] => Array.isArray(node);

/** Reads a file. Throws what YAML or a variable complains about. */
export function parseComposeTree(text: string, lookup: (name: string) => string | undefined): ComposeMap {
  let tree: ComposeMap = {};
  for (const document of parseAllDocuments(text, { version: '1.2', merge: true, uniqueKeys: true })) {
    const [problem] = document.errors;
    if (problem) throw new Error(yamlMessage(problem.message));
    // YAML's own values: texts, numbers, booleans, null, and lists and maps of these.
    const root = document.toJS({ maxAliasCount: 1000 }) as ComposeNode;
    if (root === null) continue;
    if (!isMap(root)) throw new Error('top-level object must be a mapping');
    const filled = fill(root, lookup, []);
    if (isMap(filled)) tree = mergeTrees(tree, filled);
  }
  if (Object.keys(tree).length === 0) throw new Error('empty compose file');
  return tree;
}

/** `yaml: line 2: …`, without the excerpt. */
function yamlMessage(message: string): string {
  const [first = ''] = message.split('\n');
  const line = / at line (\d+), column \d+:?$/.exec(first);
  return line ? `yaml: line ${line[1] ?? ''}: ${first.slice(0, line.index)}` : `yaml: ${first}`;
}

function fill(
  node: ComposeNode,
  lookup: (name: string) => string | undefined,
  path: readonly string[],
): ComposeNode {
  if (typeof node === 'string') {
    try {
      return interpolate(node, lookup);
    } catch (error) {
      throw new Error(`error while interpolating ${path.join('.')}: ${messageOf(error)}`, { cause: error });
    }
  }
  if (isList(node)) return node.map((item, at) => fill(item, lookup, [...path, `[${at}]`]));
  if (!isMap(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, item]) => [key, fill(item, lookup, [...path, key])]),
  );
}

/** Lists whose elements are `key=value`, written as maps as well. */
const pairLists = new Set(['args', 'labels', 'environment', 'additional_contexts', 'extra_hosts']);
/** Values of which the later one counts alone. */
const replaced = new Set(['entrypoint', 'command', 'test']);

/** One file's tree over another's: maps grow together, lists are appended, other values are replaced. */
export function mergeTrees(below: ComposeMap, above: ComposeMap): ComposeMap {
  const merged: Record<string, ComposeNode> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const before = merged[key];
    merged[key] = before === undefined || before === null ? value : mergeNodes(key, before, value);
  }
  return merged;
}

function mergeNodes(key: string, below: ComposeNode, above: ComposeNode): ComposeNode {
  if (key === 'build') return mergeTrees(buildMap(below), buildMap(above));
  if (pairLists.has(key) && (isList(below) || isList(above)))
    return mergeTrees(pairs(below, key), pairs(above, key));
  if (isMap(below) && isMap(above)) return mergeTrees(below, above);
  if (isList(below) && isList(above) && !replaced.has(key)) {
    return [
      ...below,
      ...above.filter((item) => !below.some((other) => JSON.stringify(other) === JSON.stringify(item))),
    ];
  }
  return above;
}

/** `build: dir` is short for its context. */
export const buildMap = (node: ComposeNode): ComposeMap => (isMap(node) ? node : { context: node });

/** `KEY=value` elements as a map; a key alone has no value (null). */
export function pairs(node: ComposeNode | undefined, key = ''): ComposeMap {
  if (isMap(node)) return node;
  if (!isList(node)) return {};
  return Object.fromEntries(
    node.map((item) => {
      const text = scalarText(item) ?? '';
      const separator = key === 'extra_hosts' && !text.includes('=') ? ':' : '=';
      const at = text.indexOf(separator);
      return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** A scalar as text. */
export const scalarText = (node: ComposeNode | undefined): string | undefined =>
  typeof node === 'string' || typeof node === 'number' || typeof node === 'boolean'
    ? String(node)
    : undefined;

/** A list of texts; a text alone stands for a list of one. */
export function texts(node: ComposeNode | undefined): string[] {
  if (isList(node)) return node.flatMap((item) => scalarText(item) ?? []);
  const text = scalarText(node);
  return text === undefined ? [] : [text];
}
