import { messageOf } from '#kernel';
import type { Attribute, Block, BodyContent, Diagnostic, Expression, Scope, Value } from '#hcl';
import {
  convert,
  entriesOf,
  evaluate,
  HclError,
  hclError,
  isMapping,
  isSequence,
  itemsOf,
  objectValue,
  startOf,
  stringType,
  stringValue,
  textOf,
} from '#hcl';
import type { AttributeName, Group, Target } from '../target.ts';
import { attributeKinds, attributeNames, mergeTargets } from '../target.ts';
import { decodeAttribute, encodeAttribute } from './decode-value.ts';

type Kind = (typeof attributeKinds)[AttributeName];

const groupKinds: Readonly<Record<string, Kind>> = { description: 'text', targets: 'texts' };
const targetKinds: Readonly<Record<string, Kind>> = attributeKinds;

const namePattern = /^[a-zA-Z0-9_-]+$/;

/** Throws where a name is not one of a target. */
export function checkTargetName(name: string): void {
  if (!namePattern.test(name)) throw new Error('only "[a-zA-Z0-9_-]+" are allowed');
}

/** A `group` or `target` block with one combination of its matrix. Attributes are evaluated when they are asked for. */
export class BlockEvaluation {
  readonly name: string;
  readonly #block: Block;
  readonly #scope: Scope;
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #kinds: Readonly<Record<string, Kind>>;
  readonly #done = new Map<string, unknown>();
  readonly #underWay = new Set<string>();

  private constructor(block: Block, name: string, scope: Scope, content: BodyContent) {
    this.name = name;
    this.#block = block;
    this.#scope = scope;
    this.#kinds = block.type === 'group' ? groupKinds : targetKinds;
    this.#attributes = content.attributes;
  }

  /** `value` evaluates with all that an expression depends on. Throws HclError, or errors without a place. */
  static of(
    block: Block,
    root: Scope,
    value: (expression: Expression, scope: Scope) => Value,
  ): readonly BlockEvaluation[] {
    const kinds = block.type === 'group' ? Object.keys(groupKinds) : attributeNames;
    const content = block.body.content({ attributes: [...kinds, 'matrix', 'name'], blocks: {} });
    const [matrix, name] = ['matrix', 'name'].map((each) => content.attributes.get(each));
    const label = block.labels[0] ?? '';
    checkTargetName(label);
    if (block.type === 'group') {
      if (name) throw new Error('name is not supported for groups');
      if (matrix) throw new Error('matrix is not supported for groups');
      return [new BlockEvaluation(block, label, root, content)];
    }
    if (!matrix) {
      if (name) throw new Error('name requires matrix');
      return [new BlockEvaluation(block, label, root, content)];
    }
    return combinations(value(matrix.expression, root)).map((variables) => {
      const scope = root.child(new Map(variables));
      const given = name ? textOf(convert(value(name.expression, scope), stringType)) : label;
      checkTargetName(given);
      return new BlockEvaluation(block, given, scope, content);
    });
  }

  /** Throws where two have one name. */
  static checkNames(evaluations: readonly BlockEvaluation[]): void {
    const names = evaluations.map(({ name }) => name);
    const again = names.find((name, at) => names.indexOf(name) !== at);
    if (again !== undefined) throw new Error(`duplicate name ${JSON.stringify(again)}`);
  }

  /** Evaluates one attribute, or all that are left. */
  resolve(only: string | undefined, loadDependencies: (expression: Expression, scope: Scope) => void): void {
    const names = only === undefined ? Object.keys(this.#kinds) : [only];
    const wanted = [...this.#attributes.values()].filter(
      ({ name }) => names.includes(name) && !this.#done.has(name),
    );
    if (only !== undefined && this.#underWay.has(only)) {
      throw new Error(`reference cycle not allowed for ${this.#block.type}.${this.name}.${only}`);
    }
    if (only !== undefined && wanted.length > 0) this.#underWay.add(only);
    for (const { expression } of wanted) loadDependencies(expression, this.#scope);
    const diagnostics: Diagnostic[] = [];
    for (const attribute of wanted) {
      // What it depends on may have asked for it.
      if (this.#done.has(attribute.name)) continue;
      try {
        this.#done.set(attribute.name, this.#decode(attribute));
      } catch (error) {
        if (!(error instanceof HclError)) throw error;
        diagnostics.push(...error.diagnostics);
      }
    }
    if (diagnostics.length > 0) throw new HclError(diagnostics);
  }

  #decode({ name, expression }: Attribute): unknown {
    let value: Value;
    const unsuitable = (detail: string): Diagnostic => ({
      summary: 'Unsuitable value type',
      detail: `Unsuitable value: ${detail}`,
      range: startOf(expression),
    });
    try {
      value = evaluate(expression, this.#scope);
    } catch (error) {
      // A value that could not be evaluated does not suit either: both are counted.
      throw error instanceof HclError
        ? new HclError([...error.diagnostics, unsuitable('value must be known')])
        : error;
    }
    try {
      return decodeAttribute(value, this.#kinds[name] ?? 'text');
    } catch (error) {
      throw new HclError([unsuitable(messageOf(error))]);
    }
  }

  /** What other expressions see of it. */
  value(): Value {
    return objectValue([
      ['name', stringValue(this.name)],
      ...Object.entries(this.#kinds).map(
        ([name, kind]) => [name, encodeAttribute(this.#done.get(name), kind)] as const,
      ),
    ]);
  }

  /** Adds what it defines. */
  addTo(groups: Map<string, Group>, targets: Map<string, Target>): void {
    const defined = Object.fromEntries([...this.#done].filter(([, value]) => value !== undefined));
    if (this.#block.type === 'group') {
      const { description, targets: members } = defined as { description?: string; targets?: string[] };
      if (!this.#attributes.has('targets')) {
        throw hclError(
          'Missing required argument',
          'The argument "targets" is required, but no definition was found.',
          this.#block.body.missingRange,
        );
      }
      groups.set(this.name, { name: this.name, ...(description && { description }), targets: members ?? [] });
      return;
    }
    // Each was decoded by its kind.
    const target = { ...defined, name: this.name } as Target;
    const before = targets.get(this.name);
    targets.set(this.name, before ? mergeTargets(before, target) : target);
  }
}

/** The variables of each combination of a matrix's values. Throws buildx's errors. */
function combinations(matrix: Value): readonly (readonly (readonly [string, Value])[])[] {
  if (!isMapping(matrix.type)) throw new Error('matrix must be a map');
  return [...entriesOf(matrix)].reduce<readonly (readonly (readonly [string, Value])[])[]>(
    (all, [name, values]) => {
      if (!isSequence(values.type)) throw new Error('matrix values must be a list');
      return itemsOf(values).flatMap((value) =>
        all.map((variables) => [...variables, [name, value] as const]),
      );
    },
    [[]],
  );
}
