import type { LayerStack } from '#images';
import { hostPlatform, type Descriptor, type Digest } from '#oci';
import type { BuiltPlatform } from '../export/built-platform.ts';
import type { Vertex, VertexId } from '../graph/vertex.ts';
import type { Material } from './material.ts';
import type { BuildInvocation, ProvenanceFacts } from './provenance/facts.ts';
import { reachedFrom } from './provenance/reached.ts';

export interface BuildAccountOptions {
  readonly invocation: BuildInvocation;
  /** When everything was built, in RFC 3339. */
  readonly finishedAt: string;
  /** What was taken from elsewhere for a step; undefined for steps that take nothing. */
  readonly materialOf: (id: VertexId, vertex: Vertex) => Material | undefined;
  /** What a step resulted in; undefined where that is no file system. */
  readonly layersOf: (id: VertexId) => LayerStack | undefined;
}

/** What is known of a build beside its result: how it came to be. */
export class BuildAccount {
  readonly #options: BuildAccountOptions;

  constructor(options: BuildAccountOptions) {
    this.#options = options;
  }

  /** `descriptors`: the layers as they go out, base first. */
  facts({ plan, layers }: BuiltPlatform, descriptors: readonly Descriptor[]): ProvenanceFacts {
    const { invocation, finishedAt, materialOf } = this.#options;
    const steps = reachedFrom(plan.graph, plan.result);
    const outgoing = new Map(
      layers.flatMap(({ diffId }, index) => {
        const descriptor = descriptors[index];
        return descriptor ? [[diffId, descriptor] as const] : [];
      }),
    );
    const used = [...steps].flatMap(([id, vertex]) => materialOf(id, vertex) ?? []);
    const materials = invocation.context ? [invocation.context, ...used] : used;
    return {
      ...{ invocation, finishedAt, builderPlatform: hostPlatform(), plan, materials },
      layers: new Map([...steps.keys()].flatMap((id) => this.#outgoing(id, outgoing))),
    };
  }

  /** Of a step whose layers all go out. */
  #outgoing(
    id: VertexId,
    outgoing: ReadonlyMap<Digest, Descriptor>,
  ): readonly (readonly [VertexId, readonly Descriptor[]])[] {
    const stack = this.#options.layersOf(id) ?? [];
    const found = stack.flatMap(({ diffId }) => outgoing.get(diffId) ?? []);
    return found.length === stack.length && found.length > 0 ? [[id, found]] : [];
  }
}
