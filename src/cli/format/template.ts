import { Nil, Row, findOmitted, formatValue, isMap, isObject, isTrue } from './go-value.ts';
import { functionNames, functions, pairs } from './template-functions.ts';
import type { TemplateFunction } from './template-functions.ts';
import type { Block, Command, Node, Operand, Pipe } from './template-nodes.ts';
import { parseTemplate } from './template-parser.ts';
import { TemplateError, position } from './template-tokens.ts';

export { TemplateError } from './template-tokens.ts';

/** A missing entry of a map, which Go prints as `<no value>`. */
const missing = Symbol('no value');

export interface TemplateOptions {
  /** Stands in error texts. */
  readonly name?: string;
  /** Functions that replace the standard ones, as the header of a table needs. */
  readonly functions?: Readonly<Record<string, TemplateFunction>>;
}

/** A Go template, ready to execute. */
export class Template {
  readonly #source: string;
  readonly #nodes: readonly Node[];
  readonly #name: string;
  readonly #functions: Readonly<Record<string, TemplateFunction>>;

  /** Throws TemplateError if the text is not a template. */
  constructor(source: string, options: TemplateOptions = {}) {
    this.#source = source;
    this.#functions = { ...functions, ...options.functions };
    this.#name = options.name ?? '';
    this.#nodes = parseTemplate(source, functionNames, this.#name);
  }

  /** Throws TemplateError with Go's text, such as `template: :1:2: executing "" at <.X>: …`. */
  execute(data: unknown): string {
    return new Execution({ name: this.#name, text: this.#source }, this.#functions, data).run(this.#nodes);
  }
}

class LoopExit extends Error {
  readonly continues: boolean;
  constructor(continues: boolean) {
    super('loop');
    this.continues = continues;
  }
}

interface Source {
  readonly name: string;
  readonly text: string;
}

class Execution {
  readonly #source: Source;
  readonly #functions: Readonly<Record<string, TemplateFunction>>;
  readonly #variables: { name: string; value: unknown }[];
  readonly #root: unknown;
  readonly #out: string[] = [];

  constructor(source: Source, table: Readonly<Record<string, TemplateFunction>>, data: unknown) {
    this.#source = source;
    this.#functions = table;
    this.#root = data;
    this.#variables = [{ name: '$', value: data }];
  }

  run(nodes: readonly Node[]): string {
    this.#walk(nodes, this.#root);
    return this.#out.join('');
  }

  #error(at: Operand, message: string): TemplateError {
    return new TemplateError(
      `template: ${this.#source.name}:${position(this.#source.text, at.at)}: executing "${this.#source.name}" at <${at.text}>: ${message}`,
    );
  }

  #walk(nodes: readonly Node[], dot: unknown): void {
    for (const node of nodes) {
      if (node.kind === 'text') this.#out.push(node.text);
      else if (node.kind === 'action') {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) {
          this.#out.push(value === missing || value === undefined ? '<no value>' : formatValue(value));
        }
      } else if ('body' in node) this.#block(node, dot);
      else throw new LoopExit(node.kind === 'continue');
    }
  }

  #block(node: Block, dot: unknown): void {
    const depth = this.#variables.length;
    // range sets its variables itself, once per item.
    const value = real(this.#pipe(node.pipe, dot, node.kind !== 'range'));
    if (node.kind === 'range') this.#range(node, value, dot);
    else if (isTrue(value)) this.#walk(node.body, node.kind === 'with' ? value : dot);
    else this.#walk(node.otherwise, dot);
    this.#variables.length = depth;
  }

  #range(node: Block, value: unknown, dot: unknown): void {
    const items = pairs(value);
    const [first] = node.pipe.commands;
    if (!items || (value instanceof Row && first)) {
      throw first
        ? this.#error(first.operands[0], `range can't iterate over ${formatValue(value)}`)
        : new TemplateError('range');
    }
    if (items.length === 0) {
      this.#walk(node.otherwise, dot);
      return;
    }
    const depth = this.#variables.length;
    const { variables, assigns } = node.pipe;
    try {
      for (const [key, item] of items) {
        this.#variables.length = depth;
        const values = variables.length === 2 ? [key, item] : [item];
        variables.forEach((name, at) => this.#set(name, values[at], assigns));
        try {
          this.#walk(node.body, item);
        } catch (error) {
          if (!(error instanceof LoopExit)) throw error;
          if (!error.continues) break;
        }
      }
    } finally {
      this.#variables.length = depth;
    }
  }

  #set(name: string, value: unknown, assigns: boolean): void {
    const found = assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (found) found.value = value;
    else this.#variables.push({ name, value });
  }

  #pipe(pipe: Pipe, dot: unknown, declares = true): unknown {
    let value: unknown = missing;
    let first = true;
    for (const command of pipe.commands) {
      value = this.#command(command, dot, first ? [] : [value]);
      first = false;
    }
    if (declares) pipe.variables.forEach((name) => this.#set(name, value, pipe.assigns));
    return value;
  }

  #command(command: Command, dot: unknown, piped: readonly unknown[]): unknown {
    const [head, ...rest] = command.operands;
    if (head.kind === 'function') return this.#call(head.name, head, rest, dot, piped);
    const args = (): readonly unknown[] => [
      ...rest.map((operand) => this.#operand(operand, dot)),
      ...piped.map(real),
    ];
    const hasArgs = rest.length > 0 || piped.length > 0;
    switch (head.kind) {
      case 'field':
        return this.#fields(head, dot, head.names, hasArgs ? args : undefined);
      case 'variable':
        return this.#fields(head, this.#variable(head.name), head.names, hasArgs ? args : undefined);
      case 'pipe':
        return this.#fields(head, this.#pipe(head.pipe, dot), head.names, hasArgs ? args : undefined);
      case 'nil':
        throw this.#error(head, 'nil is not a command');
      case 'dot':
        if (hasArgs) throw this.#error(head, `can't give argument to non-function ${head.text}`);
        return dot;
      case 'literal':
        if (hasArgs) throw this.#error(head, `can't give argument to non-function ${head.text}`);
        return head.value;
    }
  }

  #operand(operand: Operand, dot: unknown): unknown {
    if (operand.kind === 'nil') return null;
    return real(this.#command({ operands: [operand] }, dot, []));
  }

  #variable(name: string): unknown {
    return this.#variables.findLast((variable) => variable.name === name)?.value;
  }

  #call(
    name: string,
    at: Operand,
    operands: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
  ): unknown {
    if (name === 'and' || name === 'or') {
      // These two stop at the first argument that decides.
      let value: unknown;
      for (const operand of operands) {
        value = this.#operand(operand, dot);
        if (isTrue(value) === (name === 'or')) return value;
      }
      return piped.length > 0 ? real(piped[0]) : value;
    }
    const args = [...operands.map((operand) => this.#operand(operand, dot)), ...piped.map(real)];
    try {
      return this.#functions[name]?.(...args);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const whole = { ...at, text: [at, ...operands].map((operand) => operand.text).join(' ') };
      throw this.#error(
        whole,
        message.startsWith('error calling') || message.startsWith('wrong type')
          ? message
          : `error calling ${name}: ${message}`,
      );
    }
  }

  #fields(
    at: Operand,
    start: unknown,
    names: readonly string[],
    args: (() => readonly unknown[]) | undefined,
  ): unknown {
    let value = start;
    for (const [depth, name] of names.entries()) {
      const last = depth === names.length - 1;
      if (value === null && depth > 0) {
        throw this.#error(at, `map has no entry for key ${JSON.stringify(names[depth - 1])}`);
      }
      value = this.#field(at, real(value), name, last ? args : undefined);
    }
    if (names.length === 0 && args) throw this.#error(at, `can't give argument to non-function ${at.text}`);
    return value;
  }

  #field(
    at: Operand,
    receiver: unknown,
    name: string,
    args: (() => readonly unknown[]) | undefined,
  ): unknown {
    if (receiver instanceof Row) return this.#column(at, receiver, name, args?.() ?? []);
    if (receiver === null || receiver === undefined) {
      throw this.#error(at, `nil data; no entry for key ${JSON.stringify(name)}`);
    }
    if (receiver instanceof Nil && receiver.isMap) return missing;
    if (!isObject(receiver)) throw this.#error(at, `can't evaluate field ${name} in type interface {}`);
    const found = findField(receiver, name);
    if (typeof found === 'function') return (found as TemplateFunction)(...(args?.() ?? []));
    if (args) throw this.#error(at, `${name} has arguments but cannot be invoked as function`);
    if (found === undefined) throw this.#error(at, `map has no entry for key ${JSON.stringify(name)}`);
    return found;
  }

  #column(at: Operand, row: Row, name: string, args: readonly unknown[]): unknown {
    const column = Object.hasOwn(row.columns, name) ? row.columns[name] : undefined;
    if (!column) throw this.#error(at, `can't evaluate field ${name} in type ${row.typeName}`);
    if (args.length !== column.length) {
      throw this.#error(at, `wrong number of args for ${name}: want ${column.length} got ${args.length}`);
    }
    return column(...args);
  }
}

/** The value of a field, `missing` for an absent entry of a map, undefined for a name that is no field. */
function findField(receiver: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(receiver, name)) return receiver[name];
  if (isMap(receiver)) return missing;
  // Docker's types spell some names otherwise than the wire does: ID and Id, APIVersion and ApiVersion.
  const alike = Object.keys(receiver).find((key) => key.toLowerCase() === name.toLowerCase());
  return alike === undefined ? findOmitted(name) : receiver[alike];
}

const real = (value: unknown): unknown => (value === missing ? undefined : value);
