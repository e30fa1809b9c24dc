import type { Assignment, InstructionNode } from './instruction-node.ts';
import { rawWords, splitCommandLine } from './line-words.ts';
import { quoted } from './go-text.ts';
import { DockerfileError } from './location.ts';
import type { Location } from './location.ts';
import { blanks, splitOnce, trimLeft } from '#kernel';

type Arguments = Pick<InstructionNode, 'words' | 'json' | 'assignments' | 'trigger'>;
type Reader = (rest: string, place: Place) => Arguments;

interface Place {
  readonly escape: string;
  readonly location: Location;
}

const nothing: Arguments = { words: [], json: false, assignments: [] };
const ofWords = (words: readonly string[], json = false): Arguments => ({ ...nothing, words, json });

/** A list of strings in JSON; undefined when the text is something else. Throws for a list with other things in it. */
function findJsonList(text: string): string[] | undefined {
  const source = trimLeft(text);
  if (!source.startsWith('[')) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(source);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw new DockerfileError('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return list;
}

const wholeText: Reader = (rest) => (rest === '' ? nothing : ofWords([rest]));

const separated: Reader = (rest) => (rest === '' ? nothing : ofWords(rest.split(blanks)));

const listOr =
  (otherwise: Reader): Reader =>
  (rest, place) => {
    const list = findJsonList(rest);
    return list ? ofWords(list, true) : otherwise(rest, place);
  };

const assignments =
  (instruction: string): Reader =>
  (rest, { escape }) => {
    const words = rawWords(rest, escape);
    const [first] = words;
    if (first === undefined) return nothing;
    if (!first.includes('=')) {
      const [key, value] = splitOnce(rest);
      if (value === undefined) throw new DockerfileError(`${instruction} must have two arguments`);
      return { ...nothing, assignments: [{ key, value, legacy: true }] };
    }
    return { ...nothing, assignments: words.map(assignment) };
  };

function assignment(word: string): Assignment {
  const at = word.indexOf('=');
  if (at === -1) {
    throw new DockerfileError(
      `Syntax error - can't find = in ${quoted(word)}. Must be of the form: name=value`,
    );
  }
  return { key: word.slice(0, at), value: word.slice(at + 1), legacy: false };
}

/** `CMD …` or `NONE`: a word, then a command. */
const check: Reader = (rest, place) => {
  const [, type = '', command = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (type === '') return nothing;
  const read = listOr(wholeText)(command, place);
  return ofWords([type, ...read.words], read.json);
};

/** Triggers within triggers are refused later; more than these many would only fill the stack. */
const deepestTrigger = 32;

const trigger =
  (depth: number): Reader =>
  (rest, place) => {
    if (rest === '' || depth > deepestTrigger) return nothing;
    return { ...nothing, trigger: readNode(rest, place, [], depth + 1) };
  };

const readers: Readonly<Record<string, Reader>> = {
  add: listOr(separated),
  arg: (rest, { escape }) => ofWords(rawWords(rest, escape)),
  cmd: listOr(wholeText),
  copy: listOr(separated),
  entrypoint: listOr(wholeText),
  env: assignments('ENV'),
  expose: separated,
  from: separated,
  healthcheck: check,
  label: assignments('LABEL'),
  maintainer: wholeText,
  run: listOr(wholeText),
  shell: listOr(wholeText),
  stopsignal: wholeText,
  user: wholeText,
  volume: listOr(separated),
  workdir: wholeText,
};

/** A joined line as a node. What no instruction has the name of is kept, and refused when it is given a type. */
export function readNode(
  text: string,
  place: Place,
  comments: readonly string[],
  depth = 0,
): InstructionNode {
  const { name, flags, rest } = splitCommandLine(text, place.escape);
  const lower = name.toLowerCase();
  const reader =
    lower === 'onbuild' ? trigger(depth) : Object.hasOwn(readers, lower) ? readers[lower] : undefined;
  const read = reader ? reader(rest, place) : nothing;
  return { name, flags, ...read, heredocs: [], text, comments, location: place.location };
}
