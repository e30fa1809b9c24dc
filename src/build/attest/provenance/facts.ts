import type { Descriptor, Platform } from '#oci';
import type { BuildPlan } from '../../graph/plan-options.ts';
import type { VertexId } from '../../graph/vertex.ts';
import type { Material } from '../material.ts';

/** What a client asked for, as the frontend got it. */
export interface BuildInvocation {
  /** By BuildKit's names. */
  readonly options: Readonly<Record<string, string>>;
  readonly dockerfile: { readonly name: string; readonly text: string };
  /** When the client asked, in RFC 3339. */
  readonly startedAt: string;
  /** Tells this build from every other. */
  readonly id: string;
  /** Where the build's context comes from, if it has an address. */
  readonly context?: Material | undefined;
}

/** Everything that provenance is made of. */
export interface ProvenanceFacts {
  readonly invocation: BuildInvocation;
  readonly finishedAt: string;
  /** The engine's own. */
  readonly builderPlatform: Platform;
  readonly plan: BuildPlan;
  readonly materials: readonly Material[];
  /** Of steps whose layers are among those of the result, as they go out. */
  readonly layers: ReadonlyMap<VertexId, readonly Descriptor[]>;
}
