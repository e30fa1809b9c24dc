import { topOf, type LayerStack } from '#images';
import type { Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Location } from '../dockerfile/location.ts';
import type { BuildGraph } from '../graph/graph-builder.ts';
import type { FileSystem, VertexId } from '../graph/vertex.ts';
import type { Leak } from './key-files.ts';
import { layerLeaks } from './layer-leaks.ts';

/** A leak, and the instruction that makes it. */
export interface LocatedLeak extends Leak {
  readonly location: Location;
}

/** Layers whose leaks are remembered. */
const mostLayers = 1000;

/** Finds what looks like a key in the layers of results; each layer is looked through once. */
export class LeakWatch {
  readonly #snapshots: Pick<Snapshotter, 'mounts'>;
  readonly #known = new Map<Digest, readonly Leak[]>();

  constructor(snapshots: Pick<Snapshotter, 'mounts'>) {
    this.#snapshots = snapshots;
  }

  /** Of the layers that a build has made of a result, with the places in its file. */
  async find(
    { graph, result }: { readonly graph: BuildGraph; readonly result: FileSystem },
    layersOf: (id: VertexId) => LayerStack | undefined,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly LocatedLeak[]> {
    const found: LocatedLeak[] = [];
    for (const id of layersBelow(graph, result)) {
      const location = graph.steps.get(id)?.location;
      const layers = layersOf(id);
      if (!location || !layers) continue;
      for (const leak of await this.#leaksOf(layers, options)) found.push({ ...leak, location });
    }
    return found;
  }

  async #leaksOf(layers: LayerStack, options: { readonly signal: AbortSignal }): Promise<readonly Leak[]> {
    const chain = topOf(layers);
    if (chain === undefined) return [];
    const known = this.#known.get(chain);
    if (known) return known;
    const { lower } = this.#snapshots.mounts(chain);
    const [own] = lower;
    // Where layers are whole copies nobody can tell what this one adds.
    if (own === undefined || lower.length !== layers.length) return [];
    const leaks = await layerLeaks(own, options);
    this.#known.set(chain, leaks);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostLayers && oldest !== undefined) this.#known.delete(oldest);
    return leaks;
  }
}

/** The steps that have each made a layer of a result, the lowest first. */
function layersBelow(graph: BuildGraph, result: FileSystem): readonly VertexId[] {
  const made: VertexId[] = [];
  const visit = (system: FileSystem): void => {
    const vertex = system === 'scratch' ? undefined : graph.vertices.get(system);
    if (system === 'scratch' || !vertex) return;
    if (vertex.kind === 'exec') visit(vertex.root);
    else if (vertex.kind === 'file') visit(vertex.base);
    else if (vertex.kind === 'merge') for (const layer of vertex.layers) visit(layer);
    if (vertex.kind === 'exec' || vertex.kind === 'file') made.push(system);
  };
  visit(result);
  return made;
}
