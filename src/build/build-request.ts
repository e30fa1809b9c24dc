import type { CheckWarning } from './checks/checks.ts';
import type { LayerStack } from '#images';
import type { Platform } from '#oci';
import type { ArchiveContext } from './archive-context.ts';
import type { AttestOptions } from './attest/attest-options.ts';
import type { BuildAccount } from './attest/build-account.ts';
import type { BuildInvocation } from './attest/provenance/facts.ts';
import type { Built, ExportResponse, Exporter, ExportStep } from './export/exporter.ts';
import type { SourceTree } from './files/source-tree.ts';
import type { BuildGraph } from './graph/graph-builder.ts';
import type { BuildPlan, PlanOptions } from './graph/plan-options.ts';
import type { Planning } from './planning.ts';
import type { CacheRequest } from './cache/build-caches.ts';
import type { CacheStore } from './cache/cache-store.ts';
import type { LocatedLeak } from './leaks/leak-watch.ts';
import type { Explanation } from './explain/explainer.ts';
import type { BaseImages } from './base-images.ts';
import type { Entitlements } from './entitlements.ts';
import type { CommandLimits } from './limits.ts';
import type { BuildObserver, ClientAgent } from './solver/ports.ts';
import type { SourceAccess } from './sources/source-access.ts';

/** What a build is planned from. */
export interface PlanRequest {
  readonly dockerfile: string;
  readonly options: PlanOptions;
  readonly base: BaseImages;
  /** Base images are asked for again although they are here. */
  readonly pull: boolean;
  /** Platforms to build for, one plan each; without any it is that of the options, or the engine's own. */
  readonly platforms?: readonly Platform[];
  readonly signal: AbortSignal;
}

/** One build. */
export interface BuildRequest extends PlanRequest {
  /** What is made of the result, one after the other. */
  readonly exporters: readonly Exporter[];
  /** What is said of the result, and of how it was asked for. */
  readonly attest?: {
    readonly asked: AttestOptions;
    readonly invocation: BuildInvocation;
    /** `wharf-1.0`: who says it. */
    readonly tool: string;
    /** Called when everything is exported, while it is still held. */
    built?(built: Built, account: BuildAccount, response: ExportResponse): Promise<void>;
  };
  /** Caches of others, and what becomes of this build's own. */
  readonly caches?: CacheRequest;
  /** The client's files, by the name of the set; asked for once the plan says that they are needed. */
  local(name: string, paths: readonly string[] | undefined): Promise<SourceTree>;
  /** Undefined where the client has no secret of that name. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Undefined where the client forwards no agent of that name. */
  agent(id: string): Promise<ClientAgent | undefined>;
  /** What its commands may do beyond what every build's may. */
  readonly entitlements: Entitlements;
  /** Of its commands. */
  readonly limits: CommandLimits;
  /** What is built, for the client: builds of one name are compared with each other. */
  readonly identity: string;
  /** Every step that is done says why, not only where that is news. */
  readonly explainsAll?: boolean;
  /** What a failed command left is kept as an image, whose id the error has. */
  readonly keepsFailed?: boolean;
  /** Called with why steps were done, once they are. */
  explained?(explanations: readonly Explanation[]): void;
  /** Called with what the checks of the language have found, also where the build fails at it. */
  warned?(warnings: readonly CheckWarning[]): void;
  /** The result of another build that the options' contexts name (`input:…`). */
  input?(name: string): Promise<BuildInput> | undefined;
  /** Called with files of the result that look like keys. */
  leaked?(leaks: readonly LocatedLeak[]): void;
  /** Called with the plans, before anything is done; what it answers is told of the rest. */
  planned(plans: BuildPlans): BuildObserver;
  /** Does an export, or what else there is beside the graph, and tells of it. */
  exporting<T>(title: string, work: (step: ExportStep) => Promise<T>): Promise<T>;
}

/** What one build takes from another: its layers, or files that came from elsewhere. */
export type BuildInput =
  | { readonly kind: 'layers'; readonly layers: LayerStack }
  | { readonly kind: 'files'; readonly source: SourceTree };

/** What a build is going to do for all its platforms. */
export interface BuildPlans {
  /** One per platform. */
  readonly plans: readonly BuildPlan[];
  /** Of all of them together: what several have in common is in it once. */
  readonly graph: BuildGraph;
}

/** The engine's builder. */
export interface Builds {
  /** Receives a context as a tar, compressed or not; `dockerfile` is a path in it. */
  open(
    archive: AsyncIterable<Uint8Array>,
    dockerfile: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ArchiveContext>;
  /** What a client lends for fetching what only it may see. */
  accessOf(client: Pick<BuildRequest, 'secret' | 'agent'>): SourceAccess;
  /** What a build would do, for its first platform; nothing is built. A file that cannot be built is `failed`. */
  plan(request: PlanRequest): Promise<Planning>;
  /** What `open` answers, for a context by its address: a git repository, a tar, or a Dockerfile by itself. */
  openRemote(
    address: string,
    dockerfile: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ArchiveContext>;
  /** Resolves to what the exporters say, together. Throws DockerfileError for a mistake in the file. */
  build(request: BuildRequest): Promise<ExportResponse>;
  readonly cache: CacheStore;
}
