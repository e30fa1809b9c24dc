import { hclError } from '../diagnostic.ts';
import type { Expression } from './expression.ts';
import type { Range } from './source.ts';

export interface Attribute {
  readonly name: string;
  readonly expression: Expression;
  readonly range: Range;
  readonly nameRange: Range;
}

export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly labelRanges: readonly Range[];
  readonly body: Body;
  /** The type and its labels. */
  readonly headerRange: Range;
}

/** What a body may hold; names of the labels of its blocks by their type. */
export interface BodySchema {
  readonly attributes: readonly string[];
  readonly blocks: Readonly<Record<string, readonly string[]>>;
}

export interface BodyContent {
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
}

/** Arguments and blocks. What a JSON property is, is decided by what is asked for. */
export interface Body {
  /** What the schema names; the rest is left alone. Throws HclError, as for labels that are missing. */
  content(schema: BodySchema): BodyContent;
  /** All that can be read as arguments. */
  attributes(): readonly Attribute[];
  /** Where something that is missing would stand. */
  readonly missingRange: Range;
}

/** The body of the native syntax. */
export class NativeBody implements Body {
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #blocks: readonly Block[];
  readonly missingRange: Range;

  constructor(attributes: ReadonlyMap<string, Attribute>, blocks: readonly Block[], missingRange: Range) {
    this.#attributes = attributes;
    this.#blocks = blocks;
    this.missingRange = missingRange;
  }

  content(schema: BodySchema): BodyContent {
    const attributes = new Map([...this.#attributes].filter(([name]) => schema.attributes.includes(name)));
    const blocks = this.#blocks.filter(({ type }) => schema.blocks[type] !== undefined);
    for (const block of blocks) checkLabels(block, schema.blocks[block.type] ?? []);
    return { attributes, blocks };
  }

  attributes(): readonly Attribute[] {
    return [...this.#attributes.values()];
  }
}

function checkLabels(block: Block, wanted: readonly string[]): void {
  const { type, labels, labelRanges, headerRange } = block;
  const extra = labelRanges[wanted.length];
  if (extra) {
    throw hclError(
      `Extraneous label for ${type}`,
      wanted.length === 0
        ? `No labels are expected for ${type} blocks.`
        : `Only ${wanted.length} labels (${wanted.join(', ')}) are expected for ${type} blocks.`,
      extra,
    );
  }
  const missing = wanted[labels.length];
  if (missing === undefined) return;
  const brace = { ...headerRange, start: headerRange.end, end: headerRange.end + 1 };
  const gap = /^\s*/.exec(headerRange.source.text.slice(headerRange.end))?.[0].length ?? 0;
  throw hclError(
    `Missing ${missing} for ${type}`,
    `All ${type} blocks must have ${wanted.length} labels (${wanted.join(', ')}).`,
    { ...brace, start: brace.start + gap, end: brace.end + gap },
  );
}
