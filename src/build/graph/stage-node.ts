import type { ImageConfig, Platform } from '#oci';
import type { FromInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import type { Location } from '../dockerfile/location.ts';
import type { NamedContext } from './named-context.ts';
import { OutlineRecord } from './outline.ts';
import type { PlannedInstruction } from './plan-options.ts';
import type { StageState } from './stage-state.ts';

/** An instruction with the stages that it takes files from. */
export interface StageCommand {
  readonly instruction: StageInstruction;
  /** For COPY one, for RUN one per mount. */
  readonly sources: readonly (StageNode | undefined)[];
  /** It came with the base image, by ONBUILD. */
  readonly isTrigger: boolean;
}

/** What a stage's own instructions begin with. */
export interface StageBase {
  readonly state: StageState;
  /** The configuration as it was resolved. */
  readonly config: ImageConfig | undefined;
}

/**
 * A stage of the file, or an image that is only copied from. Filled in the order in which planning learns of things:
 * names, base and dependencies, then `start` (needs the base's configuration), then `state`.
 */
export class StageNode {
  readonly from: FromInstruction | undefined;
  /** Variables expanded. */
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly StageInstruction[];
  /** What progress calls it; '' where there is only one. */
  title = '';
  platform: Platform | undefined;
  base: StageNode | undefined;
  context: NamedContext | undefined;
  /** The set of the client's files that it begins with, by its name. */
  localName: string | undefined;
  commands: StageCommand[] = [];
  readonly dependencies = new Map<StageNode, Location>();
  triggersRead = false;
  start: StageBase | undefined;
  /** Of the whole stage; undefined until its instructions were applied. */
  state: StageState | undefined;
  /** Its own instructions as they were applied, FROM among them. */
  readonly course: PlannedInstruction[] = [];
  /** Steps that progress counts. */
  stepTotal = 0;
  outline = new OutlineRecord();
  /** What others, and stages built on it, read of it; shared with the base. */
  paths = new Set<string>();
  readonly #place: Location;

  constructor(
    image: string,
    from: FromInstruction | undefined,
    place: Location,
    instructions: readonly StageInstruction[] = [],
  ) {
    this.instructions = instructions;
    this.image = image;
    this.from = from;
    this.name = from?.stage ?? '';
    this.#place = place;
  }

  get location(): Location {
    return this.#place;
  }

  /** Not a stage of the file. */
  get isImplicit(): boolean {
    return this.from === undefined;
  }
}

/** All stages in their order, images that are copied from behind them. */
export class StageList {
  readonly nodes: StageNode[] = [];
  readonly #byName = new Map<string, StageNode>();

  add(node: StageNode): void {
    this.nodes.push(node);
    const base = this.#byName.get(node.image);
    if (base) {
      node.base = base;
      node.outline = new OutlineRecord(base.outline);
    }
    if (node.name !== '') this.#byName.set(node.name.toLowerCase(), node);
  }

  find(name: string): StageNode | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  at(index: number): StageNode {
    const node = this.nodes[index];
    if (!node) throw new DockerfileError(`invalid stage index ${index}`);
    return node;
  }

  get titles(): string[] {
    return this.nodes.map(({ title }) => title).filter((title) => title !== '');
  }
}

/** A stage and all that it is made of. */
export function reachableFrom(node: StageNode, reached = new Set<StageNode>()): Set<StageNode> {
  const open = [node];
  for (let next = open.pop(); next; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    if (next.base) open.push(next.base);
    open.push(...next.dependencies.keys());
  }
  return reached;
}

/** Throws where stages copy from each other in a circle. */
export function checkCircles(nodes: readonly StageNode[]): void {
  const done = new Set<StageNode>();
  const path = new Set<StageNode>();
  const visit = (node: StageNode): Location[] | undefined => {
    if (done.has(node)) return undefined;
    done.add(node);
    path.add(node);
    for (const [next, location] of node.dependencies) {
      if (path.has(next)) return [location];
      const found = visit(next);
      if (found) return [location, ...found];
    }
    path.delete(node);
    return undefined;
  };
  for (const node of nodes) {
    const locations = visit(node);
    if (!locations) continue;
    throw new DockerfileError(`circular dependency detected on stage: ${node.title}`, locations);
  }
}
