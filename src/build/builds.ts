import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { formatTime, invalidArgument, type Clock } from '#kernel';
import type { ImageRecord, LayerStack } from '#images';
import { hostPlatform, type Digest, type Platform } from '#oci';
import { openArchiveContext, type ArchiveContext } from './archive-context.ts';
import { configOf } from './build-image.ts';
import type { CheckWarning } from './checks/checks.ts';
import type { SourceTree } from './files/source-tree.ts';
import { planBuild } from './graph/plan-build.ts';
import type { BuildPlan, ImageRequest, PlanOptions, ResolvedImage } from './graph/plan-options.ts';
import type { BuildObserver, BuildParts } from './solver/ports.ts';
import { leaseName } from './solver/build-cache.ts';
import { Solver } from './solver/solver.ts';

/** What finds the images that builds begin with. */
export interface BaseImages {
  /** Fetches the image where it is not here, or where `pull` asks for the newest. Throws notFound. */
  resolve(
    reference: string,
    options: { readonly platform: Platform; readonly pull: boolean; readonly signal: AbortSignal },
  ): Promise<ImageRecord>;
}

/** The same for a client that is asked for its credentials. */
export interface ClientImages {
  resolve(
    reference: string,
    options: Parameters<BaseImages['resolve']>[1] & {
      readonly credentials: (host: string) => Promise<{ username: string; password: string } | undefined>;
    },
  ): Promise<ImageRecord>;
}

/** One build. */
export interface BuildRequest {
  readonly dockerfile: string;
  readonly options: PlanOptions;
  readonly base: BaseImages;
  /** Base images are asked for again although they are here. */
  readonly pull: boolean;
  /** Names of the image. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  /** The client's files, by the name of the set; asked for once the plan says that they are needed. */
  local(name: string, paths: readonly string[] | undefined): Promise<SourceTree>;
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Called with the plan, before anything is done; what it answers is told of the rest. */
  planned(plan: BuildPlan): BuildObserver;
}

export interface BuildOutcome {
  readonly id: Digest;
  readonly manifest: Digest;
  readonly warnings: readonly CheckWarning[];
}

/** The engine's builder. */
export interface Builds {
  /** Receives a context as a tar, compressed or not; `dockerfile` is a path in it. */
  open(
    archive: AsyncIterable<Uint8Array>,
    dockerfile: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ArchiveContext>;
  build(request: BuildRequest): Promise<BuildOutcome>;
  /** Empties the cache of what no build uses now; with it go contexts and cache mounts, unless one is under way. */
  prune(): Promise<{ readonly removed: readonly string[]; readonly bytes: number }>;
}

export class LocalBuilds implements Builds {
  readonly #parts: BuildParts;
  readonly #clock: Clock;
  #underWay = 0;

  constructor(parts: BuildParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    await rm(this.#parts.mountFolder, { recursive: true, force: true });
    await mkdir(this.#parts.mountFolder, { recursive: true, mode: 0o700 });
    await this.#parts.contexts.start();
  }

  open(
    archive: AsyncIterable<Uint8Array>,
    dockerfile: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ArchiveContext> {
    return openArchiveContext(this.#parts.contexts, archive, dockerfile, options);
  }

  async prune(): Promise<{ readonly removed: readonly string[]; readonly bytes: number }> {
    const { cache, building, contexts, archiver, cacheFolder } = this.#parts;
    if (this.#underWay > 0) return { removed: [], bytes: 0 };
    const records = cache.list();
    for (const { key } of records) cache.remove(key);
    let bytes = await building.forget(new Map(records.map(({ key, layers }) => [leaseName(key), layers])));
    const { signal } = new AbortController();
    for (const folder of [contexts.root, cacheFolder]) {
      if (!existsSync(folder)) continue;
      bytes += (await archiver.usage(folder, { signal })).allocated;
      await rm(folder, { recursive: true, force: true });
    }
    await contexts.start();
    return { removed: records.map(({ key }) => key), bytes };
  }

  async build(request: BuildRequest): Promise<BuildOutcome> {
    this.#underWay += 1;
    try {
      return await this.#build(request);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #build(request: BuildRequest): Promise<BuildOutcome> {
    const { signal, base, pull } = request;
    await using claim = this.#parts.building.begin();
    const images = new Map<string, ImageRecord>();
    const layersOf = async (reference: string, platform: Platform): Promise<LayerStack> => {
      const image =
        images.get(reference) ?? (await base.resolve(reference, { platform, pull: false, signal }));
      const layers = this.#parts.building.layersOf(image.id);
      if (!(await claim.use(layers))) throw invalidArgument(`the image ${reference} is gone`);
      return layers;
    };
    const plan = await this.#plan(request, async ({ reference, platform }) => {
      const image = await base.resolve(reference, { platform, pull, signal });
      images.set(reference, image);
      return { digest: '', config: image.config };
    });
    const local = memo((name: string) => request.local(name, plan.localPaths.get(name)));
    const solver = new Solver(this.#parts, {
      ...{ graph: plan.graph, claim, signal, observer: request.planned(plan) },
      proxies: proxiesOf(request.options.buildArguments ?? {}),
      image: layersOf,
      local,
      secret: (id) => request.secret(id),
    });
    const layers = await solver.solve(plan.result);
    const config = configOf(plan.image, layers, plan.baseImage, formatTime(this.#clock.now()));
    const made = await claim.commit(layers, config, request.names, { signal });
    return { ...made, warnings: plan.warnings };
  }

  /** Plans until nothing has to be looked up any more. Throws DockerfileError. */
  async #plan(
    request: BuildRequest,
    resolve: (wanted: ImageRequest) => Promise<ResolvedImage>,
  ): Promise<BuildPlan> {
    const resolved = new Map<string, ResolvedImage>();
    const options = { buildPlatforms: [hostPlatform()], ...request.options };
    for (;;) {
      const result = planBuild(request.dockerfile, options, resolved);
      if (result.kind === 'failed') throw result.error;
      if (result.kind === 'plan') return result;
      const found = await Promise.all(
        result.images.map(async (wanted) => [wanted.key, await resolve(wanted)] as const),
      );
      for (const [key, image] of found) resolved.set(key, image);
    }
  }
}

const proxyName = /^(?:https?|ftp|no|all)_proxy$/i;

const proxiesOf = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values)
    .filter(([name, value]) => proxyName.test(name) && value !== '')
    .map(([name, value]) => `${name}=${value}`);

function memo<T>(load: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return async (name) => {
    const loading = known.get(name) ?? load(name);
    known.set(name, loading);
    return loading;
  };
}
