import { mkdir, rm } from 'node:fs/promises';
import { formatTime, internal, invalidArgument, type Clock } from '#kernel';
import { unmountBelow } from '#linux';
import type { BuildClaim, LayerStack } from '#images';
import { openAddressedContext, openArchiveContext, type ArchiveContext } from './archive-context.ts';
import { BuildAccount, type BuildAccountOptions } from './attest/build-account.ts';
import { BuildAttestor } from './attest/build-attestor.ts';
import { imageMaterial, type Material } from './attest/material.ts';
import { fetchNoted } from './attest/noted-sources.ts';
import { sbomsOf } from './attest/sbom/sbom.ts';
import { parseEpoch } from './export/export-attributes.ts';
import type { BuiltPlatform } from './export/built-platform.ts';
import { keepFailedStep, type FailedStep } from './export/failed-step.ts';
import type { Built, ExportResponse } from './export/exporter.ts';
import type { BuildGraph } from './graph/graph-builder.ts';
import type { BuildPlan } from './graph/plan-options.ts';
import { mergedGraph, mergedPaths } from './merged-plans.ts';
import { planForPlatforms, type Planning } from './planning.ts';
import type { VertexId } from './graph/vertex.ts';
import { exportCaches, importCaches, noCaches, type Telling } from './cache/build-caches.ts';
import { writeInlineCache } from './cache/cache-config.ts';
import { packMounts } from './cache/shared-mounts.ts';
import { CacheStore } from './cache/cache-store.ts';
import { openExplainer } from './explain/open-explainer.ts';
import { BaseLookup } from './base-images.ts';
import { lendAgent } from './ops/lent-agent.ts';
import { checkEntitlements } from './entitlements.ts';
import type { BuildParts } from './solver/ports.ts';
import type { SolvedStep } from './solver/step-cache.ts';
import { filesResult, type Result } from './solver/result.ts';
import { Solver } from './solver/solver.ts';
import type { SourceAccess } from './sources/source-access.ts';
import type { PlanRequest, BuildRequest, Builds } from './build-request.ts';

export class LocalBuilds implements Builds {
  readonly #parts: BuildParts;
  readonly #clock: Clock;
  readonly cache: CacheStore;
  /** Called at the end of each build. */
  onBuilt: () => void = () => undefined;

  constructor(parts: BuildParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
    this.cache = new CacheStore({ ...parts, clock });
  }

  async start(): Promise<void> {
    // What a killed daemon has left mounted must not be emptied.
    unmountBelow(this.#parts.mountFolder);
    await rm(this.#parts.mountFolder, { recursive: true, force: true });
    await mkdir(this.#parts.mountFolder, { recursive: true, mode: 0o700 });
    await this.#parts.contexts.start();
    await this.#parts.mounts.start();
  }

  async open(
    archive: AsyncIterable<Uint8Array>,
    dockerfile: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ArchiveContext> {
    using _files = await this.#parts.contexts.use();
    return await openArchiveContext(this.#parts.contexts, archive, dockerfile, options);
  }

  async openRemote(
    address: string,
    dockerfile: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ArchiveContext> {
    const { contexts, sources } = this.#parts;
    using _files = await contexts.use();
    return await openAddressedContext(contexts, sources, address, dockerfile, options);
  }

  async plan(request: PlanRequest): Promise<Planning> {
    const bases = new BaseLookup(request);
    const [first] = await planForPlatforms(
      { ...request, platforms: (request.platforms ?? []).slice(0, 1) },
      (wanted) => bases.resolve(wanted),
    );
    if (!first) throw internal('nothing was planned');
    return first;
  }

  async build(request: BuildRequest): Promise<ExportResponse> {
    using _files = await this.#parts.contexts.use();
    using ending = new DisposableStack();
    ending.defer(() => this.onBuilt());
    const { signal, exporters } = request;
    const epoch = parseEpoch(request.options.buildArguments?.['SOURCE_DATE_EPOCH']);
    await using claim = this.#parts.building.begin();
    const { platforms, origins, solved, graph } = await this.#solve(request, claim);
    const isMultiPlatform = (request.platforms ?? []).length > 1;
    const now = formatTime(this.#clock.now());
    const attestor = this.#attestor(request, origins, { claim, now, epoch });
    await attestor?.list(platforms, (title, work) => request.exporting(title, work));
    const built: Built = {
      ...{ platforms, isMultiPlatform, claim, now, signal, parts: this.#parts },
      ...(epoch !== undefined && { epoch }),
      ...(attestor && { attestor }),
    };
    let response: ExportResponse = {};
    for (const exporter of exporters) {
      response = {
        ...response,
        ...(await request.exporting(exporter.title, (step) => exporter.export(built, step))),
      };
    }
    if (attestor) await request.attest?.built?.(built, attestor.account, response);
    const results = platforms.map(({ layers }) => layers);
    const told = await exportCaches(
      request.caches?.to ?? [],
      {
        steps: solved,
        results,
        claim,
        signal,
        mounts: () => packMounts(graph, this.#parts, { claim, signal }),
      },
      (...asked) => request.exporting(...asked),
    );
    return { ...response, ...told };
  }

  accessOf(client: Pick<BuildRequest, 'secret' | 'agent'>): SourceAccess {
    return {
      secret: (id) => client.secret(id),
      sshAgent: async (id) => {
        const agent = await client.agent(id);
        if (!agent) throw invalidArgument(`unset ssh forward key ${id}`);
        return lendAgent(agent, this.#parts.mountFolder);
      },
    };
  }

  async #solve(
    request: BuildRequest,
    claim: BuildClaim,
  ): Promise<{
    readonly platforms: readonly BuiltPlatform[];
    readonly origins: BuildOrigins;
    readonly solved: readonly SolvedStep[];
    readonly graph: BuildGraph;
  }> {
    const { signal, caches = noCaches } = request;
    const { building } = this.#parts;
    const telling: Telling = (...asked) => request.exporting(...asked);
    const importing = importCaches(caches.from, building, telling, { signal });
    importing.catch(() => undefined);
    const bases = new BaseLookup(request, async (id) => {
      const layers = building.layersOf(id);
      return layers && (await claim.use(layers)) ? layers : undefined;
    });
    const plans = plansOf(await planForPlatforms(request, (wanted) => bases.resolve(wanted)), request);
    const graph = mergedGraph(plans);
    checkEntitlements(graph, request.entitlements);
    const paths = mergedPaths(plans);
    const observer = request.planned({ plans, graph });
    const { sources } = this.#parts;
    const materials = new Map<VertexId, Material>();
    const journal = openExplainer(this.#parts, request, graph, observer);
    using solver = new Solver(this.#parts, {
      ...{ graph, claim, signal, observer, journal, imported: await importing },
      proxies: proxiesOf(request.options.buildArguments ?? {}),
      image: (reference, platform) => bases.layersOf(reference, platform, claim),
      local: memo((name: string) => request.local(name, paths.get(name))),
      remote: (id, vertex) => {
        const onOutput = (data: Uint8Array): void => observer.output(id, 'stderr', data);
        const note = (material: Material): unknown => materials.set(id, material);
        return fetchNoted(sources, vertex, { signal, access: this.accessOf(request), onOutput }, note);
      },
      input: async (name) => this.#input(request, name, claim),
      secret: (id) => request.secret(id),
      agent: (id) => request.agent(id),
      limits: request.limits,
      ...(request.keepsFailed === true && {
        failed: (step: FailedStep) =>
          keepFailedStep(step, claim, { now: formatTime(this.#clock.now()), signal }),
      }),
    });
    const platforms = plans.map(async (plan): Promise<BuiltPlatform> => {
      const layers = await solver.solve(plan.result);
      const scanned = request.attest?.asked.sbom ? await solveAll(solver, plan.scanned) : undefined;
      const steps = solver.solved.filter(({ vertex }) => plan.graph.vertices.has(vertex));
      const inline = caches.isInline && { inlineCache: writeInlineCache(steps, layers) };
      return { plan, platform: plan.platform, layers, ...(scanned && { scanned }), ...inline };
    });
    const origins: BuildOrigins = {
      layersOf: (id) => solver.layersOf(id),
      materialOf: (id, vertex) =>
        vertex.kind === 'image'
          ? imageMaterial(vertex, bases.digestOf(vertex.reference, vertex.platform))
          : materials.get(id),
    };
    try {
      const done = await Promise.all(platforms);
      const [plan] = plans;
      const find = (id: VertexId): LayerStack | undefined => solver.layersOf(id);
      if (plan && request.leaked) request.leaked(await this.#parts.leaks.find(plan, find, { signal }));
      return { platforms: done, origins, solved: solver.solved, graph };
    } finally {
      journal.finish((id) => solver.layersOf(id) !== undefined);
      request.explained?.(journal.explanations);
    }
  }

  #attestor(
    { attest, signal }: BuildRequest,
    origins: BuildOrigins,
    { claim, now, epoch }: Pick<Built, 'claim' | 'now'> & { readonly epoch: number | undefined },
  ): BuildAttestor | undefined {
    if (!attest) return undefined;
    const { asked, invocation, tool } = attest;
    const time = epoch === undefined ? now : new Date(epoch * 1000).toISOString();
    const createdAt = time.replace(/(?:\.\d+)?Z$/, 'Z');
    return new BuildAttestor({
      ...{ asked, outputs: claim.outputs },
      account: new BuildAccount({ ...origins, invocation, finishedAt: now }),
      list: async (built) =>
        asked.sbom ? sbomsOf(this.#parts, built, asked.sbom, { createdAt, tool, signal }) : [],
    });
  }

  async #input(request: BuildRequest, name: string, claim: BuildClaim): Promise<Result> {
    const input = await request.input?.(name);
    if (!input) throw invalidArgument(`invalid input ${name}`);
    if (input.kind === 'files') return filesResult(input.source);
    if (!(await claim.use(input.layers))) throw invalidArgument(`the result of ${name} is gone`);
    return input;
  }
}

type BuildOrigins = Pick<BuildAccountOptions, 'layersOf' | 'materialOf'>;

async function solveAll(
  solver: Solver,
  systems: BuildPlan['scanned'],
): Promise<ReadonlyMap<string, LayerStack>> {
  const solved = [...systems].map(async ([name, system]) => [name, await solver.solve(system)] as const);
  return new Map(await Promise.all(solved));
}

/** Throws where one of them failed. */
function plansOf(plannings: readonly Planning[], request: BuildRequest): readonly BuildPlan[] {
  request.warned?.(plannings[0]?.warnings ?? []);
  return plannings.map((planning) => {
    if (planning.kind === 'failed') throw planning.error;
    return planning.plan;
  });
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
