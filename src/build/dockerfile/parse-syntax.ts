import { DirectiveReader } from './directives.ts';
import { heredocOpenings } from './heredoc.ts';
import type { Heredoc, HeredocOpening } from './heredoc.ts';
import type { DockerfileSyntax, InstructionNode } from './instruction-node.ts';
import { DockerfileError, lines, locating } from './location.ts';
import type { Location } from './location.ts';
import { readNode } from './read-node.ts';
import { trim, trimLeft } from '#kernel';

/** In bytes. What the language's other readers take, so that a file is refused here as there. */
const longestLine = 65_535;
const withHeredocs = new Set(['add', 'copy', 'run']);

/** Text → nodes: directives, comments, continued lines, heredocs. Throws DockerfileError with the lines concerned. */
export const parseSyntax = (text: string): DockerfileSyntax => new SyntaxReader(text).read();

const isComment = (row: string): boolean => trimLeft(row).startsWith('#');
const withoutLineEnd = (row: string): string => row.replace(/[\r\n]+$/, '');

/** Rows with their line ends. */
function splitRows(text: string): string[] {
  const rows = text.replace(/^\ufeff/, '').split(/(?<=\n)/);
  return rows.length === 1 && rows[0] === '' ? [] : rows;
}

class SyntaxReader {
  readonly #rows: readonly string[];
  readonly #directives = new DirectiveReader();
  readonly #instructions: InstructionNode[] = [];
  readonly #emptyContinuations: Location[] = [];
  #escape = '\\';
  #check: string | undefined;
  #comments: string[] = [];
  /** Rows read so far: the number of the last one's line. */
  #line = 0;

  constructor(text: string) {
    this.#rows = splitRows(text);
  }

  read(): DockerfileSyntax {
    for (let row = this.#nextRow(); row !== undefined; row = this.#nextRow()) this.#readFrom(row);
    if (this.#instructions.length === 0) {
      throw new DockerfileError('file with no instructions', [lines(this.#line)]);
    }
    return {
      instructions: this.#instructions,
      escape: this.#escape,
      ...(this.#check !== undefined && { check: this.#check }),
      emptyContinuations: this.#emptyContinuations,
    };
  }

  #nextRow(): string | undefined {
    const row = this.#rows[this.#line];
    if (row === undefined) return undefined;
    if (row.length > longestLine || (row.length * 3 > longestLine && Buffer.byteLength(row) > longestLine)) {
      const message = `dockerfile line greater than max allowed size of ${longestLine}`;
      throw new DockerfileError(message, [lines(this.#line)]);
    }
    this.#line++;
    return row;
  }

  #readFrom(row: string): void {
    const start = this.#line;
    const first = trimLeft(withoutLineEnd(row));
    if (this.#readDirective(first)) return;
    if (isComment(row)) {
      const comment = trim(row.slice(1));
      this.#comments = comment === '' ? [] : [...this.#comments, comment];
      return;
    }
    const { text, continues } = this.#continuation(first);
    if (!continues && text === '') return;
    const joined = continues ? this.#join(text) : text;
    const end = Math.max(start, this.#line);
    const location = this.#locate(row, start, end);
    const node = locating(location, () =>
      readNode(joined, { escape: this.#escape, location }, this.#comments),
    );
    const heredocs = this.#heredocsOf(node, start, end);
    const place = this.#locate(row, start, this.#line);
    this.#instructions.push({ ...node, heredocs, location: place });
    this.#comments = [];
  }

  #readDirective(row: string): boolean {
    if (this.#directives.done) return false;
    const place = lines(this.#line);
    const directive = locating(place, () => this.#directives.read(row));
    if (!directive) return false;
    // Up to a blank, as with all directives that are looked for by name.
    if (directive.name === 'check') this.#check = directive.value.split(' ', 1)[0];
    if (directive.name !== 'escape') return true;
    if (directive.value !== '\\' && directive.value !== '`') {
      const message = `invalid escape token '${directive.value}' does not match \` or \\`;
      throw new DockerfileError(message, [place]);
    }
    this.#escape = directive.value;
    return true;
  }

  #locate(row: string, first: number, last: number): Location {
    return {
      firstLine: first,
      firstColumn: row.length - trimLeft(row).length,
      lastLine: last,
      lastColumn: withoutLineEnd(this.#rows[last - 1] ?? '').length,
    };
  }

  /** The row without the escape character at its end, where that is not itself escaped. */
  #continuation(row: string): { text: string; continues: boolean } {
    const trimmed = row.replace(/[ \t]+$/, '');
    const continues = trimmed.endsWith(this.#escape) && trimmed.at(-2) !== this.#escape;
    return continues ? { text: trimmed.slice(0, -1), continues } : { text: row, continues };
  }

  /** Takes rows as long as they continue; comments between them are left out. */
  #join(first: string): string {
    const parts = [first];
    let hasEmpty = false;
    for (let row = this.#nextRow(); row !== undefined; row = this.#nextRow()) {
      if (isComment(row)) continue;
      const line = withoutLineEnd(row);
      if (trimLeft(line) === '') {
        hasEmpty = true;
        continue;
      }
      const { text, continues } = this.#continuation(line);
      parts.push(text);
      if (!continues) break;
    }
    if (hasEmpty) this.#emptyContinuations.push(lines(this.#line));
    return parts.join('');
  }

  #heredocsOf(node: InstructionNode, start: number, end: number): Heredoc[] {
    const owner = node.name.toLowerCase() === 'onbuild' ? (node.trigger ?? node) : node;
    if (!withHeredocs.has(owner.name.toLowerCase()) || owner.json || !node.text.includes('<<')) return [];
    const openings = locating(lines(start, end), () => heredocOpenings(node.text));
    return openings.map((opening) => ({ ...opening, content: this.#heredocContent(opening, start) }));
  }

  #heredocContent({ name, chomp }: HeredocOpening, start: number): string {
    const parts: string[] = [];
    for (let row = this.#nextRow(); row !== undefined; row = this.#nextRow()) {
      const line = withoutLineEnd(row);
      if ((chomp ? line.replace(/^\t+/, '') : line) === name) return parts.join('');
      parts.push(row);
    }
    throw new DockerfileError('unterminated heredoc', [lines(start, this.#line)]);
  }
}
