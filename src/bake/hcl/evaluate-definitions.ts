import { messageOf } from '#kernel';
import type {
  Attribute,
  Block,
  Body,
  Diagnostic,
  Expression,
  FunctionDefinition,
  HclFunction,
  Range,
  Value,
} from '#hcl';
import {
  callsOf,
  convert,
  evaluate,
  HclError,
  hclError,
  mapValue,
  objectValue,
  stringType,
  parameterNames,
  referencesOf,
  Scope,
  stringValue,
  userFunction,
} from '#hcl';
import type { Definitions, Target } from '../target.ts';
import { BlockEvaluation } from './block-evaluation.ts';
import type { Override, VariableDefinition, VariableInfo } from './variable.ts';
import {
  checkVariable,
  describeVariable,
  emptyVariable,
  overriddenValue,
  readVariable,
  variableType,
} from './variable.ts';

/** Where the values of variables come from. */
export interface VariableSources {
  /** Variables that are there without being defined, and cannot be overridden. */
  readonly builtIn: Readonly<Record<string, string>>;
  /** What the environment says. */
  lookup(name: string): string | undefined;
  readonly functions: ReadonlyMap<string, HclFunction>;
}

/** What HCL files define, after what compose files did. */
export interface Evaluated {
  readonly definitions: Definitions;
  readonly variables: readonly VariableInfo[];
}

/** A name that nobody defines: what reads it says so with its place. */
class Undefined extends Error {
  override readonly name = 'Undefined';
}

/** Evaluates the bodies of HCL and JSON files together. Throws HclError. */
export function evaluateDefinitions(
  bodies: readonly Body[],
  sources: VariableSources,
  before: Definitions,
): Evaluated {
  return new Evaluation(bodies, sources).run(before);
}

const reserved = ['group', 'target'];

class Evaluation {
  readonly #sources: VariableSources;
  readonly #variables = new Map<string, VariableDefinition>();
  readonly #attributes = new Map<string, Attribute>();
  readonly #functions = new Map<string, { definition: Partial<FunctionDefinition>; range: Range }>();
  readonly #blocks: readonly Block[];
  readonly #known: Map<string, HclFunction>;
  readonly #root: Scope;
  readonly #underWay = new Set<string>();
  readonly #types = new Map<string, ReturnType<typeof variableType>>();
  readonly #evaluations = new Map<Block, readonly BlockEvaluation[]>();
  /** Blocks by type and name, once names are known. */
  readonly #named = new Map<string, Block[]>();
  readonly #values = { group: new Map<string, Value>(), target: new Map<string, Value>() };

  constructor(bodies: readonly Body[], sources: VariableSources) {
    this.#sources = sources;
    this.#known = new Map(sources.functions);
    this.#root = new Scope(new Map(), this.#known);
    const contents = bodies.map((body) =>
      body.content({
        attributes: [],
        blocks: { group: ['name'], target: ['name'], variable: ['name'], function: ['name'] },
      }),
    );
    const blocks = contents.flatMap((content) => content.blocks);
    this.#blocks = blocks.filter(({ type }) => reserved.includes(type));
    const isReserved = (name: string): boolean =>
      reserved.includes(name) || sources.builtIn[name] !== undefined;
    for (const block of blocks) {
      const name = block.labels[0] ?? '';
      if (isReserved(name)) continue;
      if (block.type === 'variable') this.#variables.set(name, readVariable(block));
      if (block.type === 'function') this.#functions.set(name, readFunction(block));
    }
    for (const attribute of bodies.flatMap((body) => body.attributes())) {
      if (isReserved(attribute.name) || ['variable', 'function'].includes(attribute.name)) continue;
      this.#attributes.set(attribute.name, attribute);
    }
  }

  run(before: Definitions): Evaluated {
    for (const [name, value] of Object.entries(this.#sources.builtIn)) {
      this.#root.variables.set(name, stringValue(value));
    }
    const variables = [...this.#variables.values()].map((definition) => {
      this.#at(definition.block.body.missingRange, 'Invalid value', () => this.#resolve(definition.name));
      const value = this.#root.variables.get(definition.name) ?? stringValue('');
      return describeVariable(definition, this.#types.get(definition.name), value);
    });
    this.#collect(this.#variables.values(), (definition) => checkVariable(definition, this.#root));
    for (const [name, { range }] of this.#functions) {
      this.#at(range, 'Invalid function', () => this.#resolveFunction(name));
    }
    const renamed = this.#nameBlocks();
    const definitions = this.#evaluateBlocks(before);
    for (const [name, { range }] of this.#attributes) {
      this.#at(range, 'Invalid attribute', () => this.#resolve(name));
    }
    return { definitions: { ...definitions, groups: [...definitions.groups, ...renamed] }, variables };
  }

  /** Runs `body`; errors without a place get this one. */
  #at<T>(range: Diagnostic['range'], summary: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw error instanceof HclError ? error : hclError(summary, messageOf(error), range);
    }
  }

  /** Runs `body` for each, and complains about all that fail together. */
  #collect<T>(items: Iterable<T>, body: (item: T) => void): void {
    const diagnostics: Diagnostic[] = [];
    for (const item of items) {
      try {
        body(item);
      } catch (error) {
        if (!(error instanceof HclError)) throw error;
        diagnostics.push(...error.diagnostics);
      }
    }
    if (diagnostics.length > 0) throw new HclError(diagnostics);
  }

  /** Runs `body`, unless it is under way further out. */
  #once(key: string, cycle: string, body: () => void): void {
    if (this.#underWay.has(key)) throw new Error(cycle);
    this.#underWay.add(key);
    try {
      body();
    } catch (error) {
      if (error instanceof Undefined) this.#underWay.delete(key);
      throw error;
    }
  }

  #resolve(name: string): void {
    if (this.#root.variables.has(name)) return;
    this.#once(`variable ${name}`, `variable cycle not allowed for ${name}`, () => {
      const attribute = this.#attributes.get(name);
      const definition = this.#variables.get(name);
      if (!attribute && !definition) throw new Undefined(`variable ${JSON.stringify(name)} does not exist`);
      this.#root.variables.set(
        name,
        attribute
          ? this.#value(attribute.expression)
          : definition
            ? this.#variable(definition)
            : stringValue(''),
      );
    });
  }

  #variable(definition: VariableDefinition): Value {
    const { name } = definition;
    const type = variableType(definition);
    this.#types.set(name, type);
    const override = this.#override(name, type !== undefined);
    if (!definition.default && !override) return emptyVariable(type);
    let value = definition.default && this.#value(definition.default.expression);
    if (value && type) {
      try {
        value = convert(value, type);
      } catch (error) {
        throw new Error(`invalid type ${type.kind} for variable ${name} default value: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
    return override ? overriddenValue(name, override, type, value) : (value ?? emptyVariable(type));
  }

  /** What the environment says: as it is, or as `NAME_JSON`, which typed variables prefer. */
  #override(name: string, favorJson: boolean): Override | undefined {
    const plain = this.#sources.lookup(name);
    const jsonName = `${name}_JSON`;
    if (plain === undefined || favorJson) {
      const taken = this.#variables.has(jsonName) || this.#sources.builtIn[jsonName] !== undefined;
      const json = taken ? undefined : this.#sources.lookup(jsonName);
      if (json !== undefined) return { text: json, isJson: true };
    }
    return plain === undefined ? undefined : { text: plain, isJson: false };
  }

  #value(expression: Expression, scope = this.#root): Value {
    this.#loadDependencies(expression, scope);
    return evaluate(expression, scope);
  }

  #resolveFunction(name: string): void {
    if (this.#known.has(name)) return;
    const found = this.#functions.get(name);
    if (!found) throw new Undefined(`function ${JSON.stringify(name)} does not exist`);
    this.#once(`function ${name}`, `function cycle not allowed for ${name}`, () => {
      const { parameters, variadic, result } = found.definition;
      if (!result) throw new Error(`empty result not allowed for ${name}`);
      if (!parameters) throw new Error(`empty params not allowed for ${name}`);
      const definition = { parameters, variadic, result };
      const { names, rest } = parameterNames(definition);
      const own = new Set([...names, ...(rest === undefined ? [] : [rest])]);
      this.#loadDependencies(result, this.#root, { own, strict: true });
      this.#known.set(
        name,
        userFunction(definition, () => this.#root),
      );
    });
  }

  /** Makes sure that what an expression reads is known; what nobody defines is left to its evaluation. */
  #loadDependencies(
    expression: Expression,
    scope: Scope,
    options: { own?: ReadonlySet<string>; strict?: boolean } = {},
  ): void {
    const load = (body: () => void): void => {
      try {
        body();
      } catch (error) {
        if (error instanceof HclError) throw error;
        if (error instanceof Undefined && options.strict !== true) return;
        throw hclError('Invalid expression', messageOf(error), expression.range);
      }
    };
    for (const { name } of callsOf(expression)) {
      if (!scope.function(name)) load(() => this.#resolveFunction(name));
    }
    for (const reference of referencesOf(expression)) {
      const { name, path } = reference;
      if (options.own?.has(name)) continue;
      if (name === 'target' || name === 'group') {
        const [block, attribute] = path;
        if (block === undefined)
          throw hclError('Invalid expression', `cannot access ${name} as a variable`, expression.range);
        for (const each of this.#named.get(`${name} ${block}`) ?? [])
          load(() => this.#resolveBlock(each, attribute));
      } else if (scope.variable(name) === undefined) load(() => this.#resolve(name));
    }
  }

  /** The evaluations of a block: one, or as many as its matrix makes. */
  #evaluationsOf(block: Block): readonly BlockEvaluation[] {
    const found = this.#evaluations.get(block);
    if (found) return found;
    const made = BlockEvaluation.of(block, this.#root, (expression, scope) => this.#value(expression, scope));
    this.#evaluations.set(block, made);
    return made;
  }

  /** Names all blocks, and says which groups stand for what a matrix makes. */
  #nameBlocks(): Definitions['groups'] {
    const names = new Map<string, Set<string>>();
    for (const block of this.#blocks) {
      const range = block.labelRanges[0] ?? block.headerRange;
      const evaluations = this.#at(range, 'Invalid name', () => {
        const made = this.#evaluationsOf(block);
        BlockEvaluation.checkNames(made);
        return made;
      });
      for (const { name } of evaluations) {
        const key = `${block.type} ${name}`;
        this.#named.set(key, [...(this.#named.get(key) ?? []), block]);
        const label = block.labels[0] ?? '';
        names.set(label, (names.get(label) ?? new Set()).add(name));
      }
    }
    return [...names].flatMap(([label, made]) =>
      made.size === 1 && made.has(label) ? [] : [{ name: label, targets: [...made] }],
    );
  }

  #resolveBlock(block: Block, attribute?: string): void {
    if (!this.#root.variables.has(block.type)) this.#root.variables.set(block.type, mapValue([], stringType));
    for (const evaluation of this.#evaluationsOf(block)) {
      evaluation.resolve(attribute, (expression, scope) => this.#loadDependencies(expression, scope));
      const type = block.type === 'group' ? 'group' : 'target';
      this.#values[type].set(evaluation.name, evaluation.value());
      this.#root.variables.set(type, objectValue(this.#values[type]));
    }
  }

  #evaluateBlocks(before: Definitions): Definitions {
    const groups = new Map(before.groups.map((group) => [group.name, group]));
    const targets = new Map<string, Target>(before.targets.map((target) => [target.name, target]));
    this.#collect(this.#blocks, (block) => {
      this.#at(block.labelRanges[0], 'Invalid block', () => this.#resolveBlock(block));
      for (const evaluation of this.#evaluationsOf(block)) evaluation.addTo(groups, targets);
    });
    return { groups: [...groups.values()], targets: [...targets.values()] };
  }
}

function readFunction(block: Block): { definition: Partial<FunctionDefinition>; range: Range } {
  const { attributes } = block.body.content({
    attributes: ['params', 'variadic_params', 'result'],
    blocks: {},
  });
  const [parameters, variadic, result] = ['params', 'variadic_params', 'result'].map((name) =>
    attributes.get(name),
  );
  return {
    definition: {
      ...(parameters && { parameters: parameters.expression }),
      variadic: variadic?.expression,
      ...(result && { result: result.expression }),
    },
    range: parameters?.range ?? block.labelRanges[0] ?? block.headerRange,
  };
}
