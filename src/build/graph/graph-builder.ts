import { createHash } from 'node:crypto';
import type { Location } from '../dockerfile/location.ts';
import type { Vertex, VertexId } from './vertex.ts';

/** How a vertex came to be: for people, and no part of its identity. */
export interface Step {
  /** `[build 2/4] RUN make` */
  readonly name: string;
  /** Of which stage, '' where there is but one. */
  readonly stage: string;
  /** The instruction as written. */
  readonly instruction: string;
  readonly location: Location | undefined;
  /** It is done again even when it is known. */
  readonly ignoreCache: boolean;
  /** Build arguments that were in its environment, for telling which one changed. */
  readonly buildArguments: Readonly<Record<string, string>>;
}

/** What a build has to do. Vertices stand in an order in which each comes after its inputs. */
export interface BuildGraph {
  readonly vertices: ReadonlyMap<VertexId, Vertex>;
  readonly steps: ReadonlyMap<VertexId, Step>;
}

/** One spelling for equal values: fields in the order of their names, undefined ones left out. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, canonical(item)]),
  );
}

export const idOf = (vertex: Vertex): VertexId =>
  // A digest of the whole description: the brand says what it is of.
  `sha256:${createHash('sha256')
    .update(JSON.stringify(canonical(vertex)))
    .digest('hex')}` as VertexId;

/** Collects vertices; equal ones are one. */
export class GraphBuilder {
  readonly #vertices = new Map<VertexId, Vertex>();
  readonly #steps = new Map<VertexId, Step>();

  add(vertex: Vertex, step: Partial<Step> & Pick<Step, 'name'>): VertexId {
    const id = idOf(vertex);
    const known = this.#steps.get(id);
    if (known) {
      if (step.ignoreCache === true) this.#steps.set(id, { ...known, ignoreCache: true });
      return id;
    }
    this.#vertices.set(id, vertex);
    const plain = { stage: '', instruction: '', location: undefined, ignoreCache: false, buildArguments: {} };
    this.#steps.set(id, { ...plain, ...step });
    return id;
  }

  get graph(): BuildGraph {
    return { vertices: this.#vertices, steps: this.#steps };
  }
}
