import { hclError } from '../diagnostic.ts';
import type { Attribute, Block, Body, BodyContent, BodySchema } from '../syntax/body.ts';
import type { Range } from '../syntax/source.ts';
import { spanning } from '../syntax/source.ts';
import { jsonExpression } from './json-expression.ts';
import type { JsonNode, JsonProperty } from './parse-json.ts';

/** A JSON object as a body; an array of objects counts as one. */
export class JsonBody implements Body {
  readonly #node: JsonNode;

  constructor(node: JsonNode) {
    this.#node = node;
  }

  get missingRange(): Range {
    const { range, kind } = this.#node;
    return kind === 'object' ? { ...range, start: range.end - 1 } : { ...range, end: range.start + 1 };
  }

  content(schema: BodySchema): BodyContent {
    const attributes = new Map<string, Attribute>();
    const blocks: Block[] = [];
    for (const property of propertiesOf(this.#node)) {
      const labels = schema.blocks[property.name];
      if (schema.attributes.includes(property.name)) {
        const before = attributes.get(property.name);
        if (before) {
          throw hclError(
            'Duplicate argument',
            `The argument ${JSON.stringify(property.name)} was already set.`,
            property.nameRange,
          );
        }
        attributes.set(property.name, attribute(property));
      } else if (labels) {
        unpack(property.value, { type: property.name, typeRange: property.nameRange, blocks }, labels, []);
      }
    }
    return { attributes, blocks };
  }

  attributes(): readonly Attribute[] {
    if (this.#node.kind !== 'object') {
      throw hclError(
        'Incorrect JSON value type',
        'A JSON object is required here, setting the arguments for this block.',
        start(this.#node),
      );
    }
    return this.#node.properties.filter(({ name }) => name !== '//').map(attribute);
  }
}

const start = ({ range }: JsonNode): Range => ({ ...range, end: range.start + 1 });

/** The expression is read on demand: a property that is a block need not be one. */
const attribute = ({ name, nameRange, value }: JsonProperty): Attribute => ({
  name,
  nameRange,
  range: spanning(nameRange, value.range),
  get expression() {
    return jsonExpression(value);
  },
});

function propertiesOf(node: JsonNode, label?: string): readonly JsonProperty[] {
  if (node.kind === 'null') return [];
  if (node.kind === 'object') return node.properties.filter(({ name }) => name !== '//');
  const purpose =
    label === undefined
      ? 'to define arguments and child blocks'
      : `to specify ${label} labels for this block`;
  if (node.kind !== 'array') {
    throw hclError(
      'Incorrect JSON value type',
      `Either a JSON object or JSON array of objects is required here, ${purpose}.`,
      start(node),
    );
  }
  return node.items.flatMap((item) => {
    if (item.kind === 'object') return item.properties;
    throw hclError('Incorrect JSON value type', `A JSON object is required here, ${purpose}.`, start(item));
  });
}

interface Unpacking {
  readonly type: string;
  readonly typeRange: Range;
  readonly blocks: Block[];
}

/** Peels a block's labels off the properties that name them. */
function unpack(
  node: JsonNode,
  into: Unpacking,
  left: readonly string[],
  used: readonly JsonProperty[],
): void {
  const [label, ...others] = left;
  if (label !== undefined) {
    const properties = propertiesOf(node, label);
    if (properties.length === 0) {
      throw hclError(
        'Missing block label',
        `At least one object property is required, whose name represents the ${into.type} block's ${label}.`,
        start(node),
      );
    }
    for (const property of properties) unpack(property.value, into, others, [...used, property]);
    return;
  }
  if (node.kind === 'null') return;
  if (node.kind !== 'object' && node.kind !== 'array') {
    throw hclError(
      'Incorrect JSON value type',
      `Either a JSON object or a JSON array is required, representing the contents of one or more ${JSON.stringify(into.type)} blocks.`,
      start(node),
    );
  }
  const header = {
    type: into.type,
    labels: used.map(({ name }) => name),
    labelRanges: used.map(({ nameRange }) => nameRange),
    headerRange: start(node),
  };
  const bodies = node.kind === 'object' ? [node] : node.items;
  for (const body of bodies) into.blocks.push({ ...header, body: new JsonBody(body) });
}
