import { DockerfileError } from './location.ts';
import { trimLeft } from '#kernel';

/** The parser directives of a file: `# key=value` lines before everything else. */
export type DirectiveName = 'syntax' | 'escape' | 'check';

export interface Directive {
  readonly name: DirectiveName;
  readonly value: string;
  readonly line: number;
}

const form = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const isDirectiveName = (name: string): name is DirectiveName =>
  name === 'syntax' || name === 'escape' || name === 'check';

/** Takes lines one after the other until the first that is no directive. */
export class DirectiveReader {
  readonly #comment: string;
  readonly #seen = new Set<string>();
  #line: number;
  #done = false;

  constructor(comment = '#', line = 0) {
    this.#comment = comment;
    this.#line = line;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Throws DockerfileError for a directive that comes twice. */
  read(text: string): Directive | undefined {
    this.#line++;
    if (this.#done) return undefined;
    const match = text.startsWith(this.#comment)
      ? form.exec(trimLeft(text.slice(this.#comment.length)))
      : undefined;
    const name = match?.[1]?.toLowerCase() ?? '';
    if (!isDirectiveName(name)) {
      this.#done = true;
      return undefined;
    }
    if (this.#seen.has(name)) throw new DockerfileError(`only one ${name} parser directive can be used`);
    this.#seen.add(name);
    return { name, value: match?.[2] ?? '', line: this.#line };
  }
}

function search(rows: readonly string[], comment: string, line: number): Directive | undefined {
  const reader = new DirectiveReader(comment, line);
  try {
    for (const row of rows) {
      const directive = reader.read(row);
      if (reader.done) return undefined;
      if (directive?.name === 'syntax') return directive;
    }
  } catch {
    return undefined;
  }
  return undefined;
}

/**
 * The frontend image that a file asks for, in any of the ways in which other languages can be marked: `# syntax=`,
 * `// syntax=`, or a JSON document with a field `syntax`; after a `#!` line too. The value up to its first blank.
 */
export function findSyntax(text: string): { readonly image: string; readonly line: number } | undefined {
  const source = text.replace(/^\ufeff/, '');
  const hasShebang = source.startsWith('#!');
  const rest = hasShebang ? source.slice(source.indexOf('\n') + 1 || source.length) : source;
  const rows = rest.split(/\r?\n/);
  const line = hasShebang ? 1 : 0;
  const found = search(rows, '#', line) ?? search(rows, '//', line);
  if (found) return { image: found.value.split(' ', 1)[0] ?? '', line: found.line };
  if (!rest.trimStart().startsWith('{')) return undefined;
  try {
    const document: unknown = JSON.parse(rest);
    if (typeof document !== 'object' || document === null || !('syntax' in document)) return undefined;
    return typeof document.syntax === 'string' ? { image: document.syntax, line } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the frontend that a file asks for is the language built in here: docker/dockerfile in any version. */
export const isBuiltInSyntax = (image: string): boolean =>
  image === 'dockerfile.v0' ||
  /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(image);
