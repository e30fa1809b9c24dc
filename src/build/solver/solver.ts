import { internal } from '#kernel';
import type { LayerStack } from '#images';
import { withSource } from '../ops/copy-source.ts';
import { runExecOp } from '../ops/exec-op.ts';
import { runFileOp } from '../ops/file-op.ts';
import {
  inputsOf,
  type CopyAction,
  type FileSystem,
  type FileVertex,
  type Vertex,
  type VertexId,
} from '../graph/vertex.ts';
import type { SourceTree } from '../files/source-tree.ts';
import { mounted } from '../ops/mounted.ts';
import { cacheKeyOf, contentKeyOf, digestOfCopy } from './cache-key.ts';
import type { BuildInputs, BuildParts } from './ports.ts';
import { OutputLimit } from './output-limit.ts';
import { StepError } from './step-error.ts';
import { emptyResult, filesResult, type KnownResult, type Result } from './result.ts';
import { StepCache, type SolvedStep } from './step-cache.ts';

/** What is looked up before it is done. */
type Work = Extract<Vertex, { kind: 'exec' | 'file' | 'merge' }>;

interface Outcome {
  readonly result: Result;
  readonly cached: boolean;
}

const filesOutcome = (source: SourceTree): Outcome => ({ result: filesResult(source), cached: false });

/** How clients know a step that was given up because of another one. */
const canceled = (): Error => new Error('context canceled');

/** Does what a graph says, each vertex once, independent ones at the same time, and nothing that is known already. */
export class Solver implements Disposable {
  readonly #parts: BuildParts;
  readonly #inputs: BuildInputs;
  readonly #results = new Map<VertexId, Promise<Result>>();
  readonly #done = new Map<VertexId, Result>();
  readonly #stop = new AbortController();
  /** Vertices whose results are on their way here. */
  readonly #settling = new Map<VertexId, Promise<void>>();
  readonly #cache: StepCache;

  constructor(parts: BuildParts, inputs: BuildInputs) {
    this.#parts = parts;
    this.#inputs = { ...inputs, signal: AbortSignal.any([inputs.signal, this.#stop.signal]) };
    this.#cache = new StepCache(parts, this.#inputs);
  }

  /**
   * The layers of a file system, made where need be. When a step fails, those that are under way are given up; nothing
   * of them goes on after this has rejected.
   */
  async solve(system: FileSystem): Promise<LayerStack> {
    if (system === 'scratch') return [];
    try {
      await this.#resolve(system);
      await this.#settle(system);
      return await this.#layersOf(this.#resultOf(system));
    } catch (error) {
      this.#stop.abort(canceled());
      await Promise.allSettled([...this.#results.values(), ...this.#settling.values()]);
      throw error;
    }
  }

  /** The layers that a vertex has resulted in; undefined where it has not, or in no file system. */
  layersOf(id: VertexId): LayerStack | undefined {
    const result = this.#done.get(id);
    return result?.kind === 'layers' ? result.layers : undefined;
  }

  /** What was done or found, for who wants to share it. */
  get solved(): readonly SolvedStep[] {
    return this.#cache.solved;
  }

  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
  }

  #resolve(id: VertexId): Promise<Result> {
    const known = this.#results.get(id);
    if (known) return known;
    const result = this.#do(id);
    result.catch(() => undefined);
    this.#results.set(id, result);
    return result;
  }

  async #do(id: VertexId): Promise<Result> {
    const vertex = this.#inputs.graph.vertices.get(id);
    if (!vertex) throw internal(`the build graph has no vertex ${id}`);
    await Promise.all(inputsOf(vertex).map((input) => this.#resolve(input)));
    return this.#attempt(id, vertex);
  }

  async #attempt(id: VertexId, vertex: Vertex): Promise<Result> {
    const { observer, signal } = this.#inputs;
    signal.throwIfAborted();
    observer.started(id);
    try {
      const { result, cached } = await this.#outcomeOf(id, vertex);
      this.#done.set(id, result);
      observer.completed(id, { cached });
      return result;
    } catch (error) {
      const failure = signal.aborted
        ? error
        : new StepError(id, this.#inputs.graph.steps.get(id)?.location, error);
      observer.completed(id, {
        cached: false,
        error: failure instanceof Error ? failure : new Error(String(failure)),
      });
      throw failure;
    }
  }

  async #outcomeOf(id: VertexId, vertex: Vertex): Promise<Outcome> {
    switch (vertex.kind) {
      case 'image': {
        const layers = await this.#inputs.image(vertex.reference, vertex.platform);
        return { result: { kind: 'layers', layers }, cached: false };
      }
      case 'local':
        return filesOutcome(await this.#inputs.local(vertex.name));
      case 'git':
      case 'http':
        return filesOutcome(await this.#inputs.remote(id, vertex));
      case 'input':
        return { result: await this.#inputs.input(vertex.name), cached: false };
      case 'exec':
      case 'file':
      case 'merge':
        return this.#cachedOutcome(id, vertex);
    }
  }

  async #cachedOutcome(id: VertexId, vertex: Work): Promise<Outcome> {
    const { turns } = this.#parts;
    const { graph, signal, journal } = this.#inputs;
    const ignoresCache = graph.steps.get(id)?.ignoreCache === true;
    for (;;) {
      const key = cacheKeyOf(vertex, this.#finder);
      using _turn = await turns.keys.acquire(key, { signal });
      const known = ignoresCache ? undefined : await this.#find(id, key, vertex);
      if (known) {
        journal.found(id, key, this.#finder);
        return { result: known, cached: true };
      }
      const inputs = inputsOf(vertex).filter((input) => this.#resultOf(input).kind === 'known');
      await Promise.all(inputs.map((input) => this.#settle(input)));
      // Made anew, something it stands on may have come out otherwise: then it is another step.
      if (inputs.length > 0 && cacheKeyOf(vertex, this.#finder) !== key) continue;
      // Before its turn: who waits for a cache keeps nobody else from working.
      const caches = vertex.kind === 'exec' ? vertex.mounts : [];
      using _reserved = await this.#parts.mounts.reserve(caches, { signal });
      return await turns.steps.run(async () => this.#perform(id, key, vertex), { signal });
    }
  }

  async #find(id: VertexId, key: string, vertex: Work): Promise<Result | undefined> {
    const known = await this.#cache.find(id, key);
    if (known || !inputsOf(vertex).some((input) => this.#cache.elsewhere(input))) return known;
    const other = (system: FileSystem): Result =>
      (system === 'scratch' ? undefined : this.#cache.elsewhere(system)) ?? this.#resultOf(system);
    return this.#cache.find(id, cacheKeyOf(vertex, other));
  }

  /** Brings a result here of which only the name was known; made anew, it may have another name by then. */
  async #settle(id: VertexId): Promise<void> {
    const result = this.#done.get(id);
    if (result?.kind !== 'known') return;
    const settling = this.#settling.get(id) ?? this.#bring(id, result);
    this.#settling.set(id, settling);
    await settling;
  }

  async #bring(id: VertexId, known: KnownResult): Promise<void> {
    const layers = await this.#cache.fetch(id, known);
    if (layers) {
      this.#done.set(id, { kind: 'layers', layers });
      return;
    }
    const vertex = this.#inputs.graph.vertices.get(id);
    if (!vertex) throw internal(`the build graph has no vertex ${id}`);
    const again = await this.#attempt(id, vertex);
    // By what it copies it may be known again.
    if (again.kind === 'known') await this.#bring(id, again);
  }

  async #perform(id: VertexId, key: string, vertex: Work): Promise<Outcome> {
    const step = this.#inputs.graph.steps.get(id);
    const description = step?.name ?? step?.instruction ?? '';
    const byContent = vertex.kind === 'file' ? await this.#contentKey(vertex) : undefined;
    if (byContent !== undefined && step?.ignoreCache !== true) {
      const known = await this.#cache.find(id, byContent);
      if (known) {
        if (known.kind === 'layers') this.#cache.put(id, [key], known.layers, description);
        this.#inputs.journal.found(id, key, this.#finder);
        return { result: known, cached: true };
      }
    }
    await this.#inputs.journal.missed(id, key, this.#finder);
    const layers = await this.#execute(id, vertex);
    this.#cache.put(id, byContent === undefined ? [key] : [key, byContent], layers, description);
    return { result: { kind: 'layers', layers }, cached: false };
  }

  /** Key by the contents of what is copied from other stages; undefined where nothing is. */
  async #contentKey(vertex: FileVertex): Promise<string | undefined> {
    const { signal } = this.#inputs;
    const copies = vertex.actions.filter((action) => action.kind === 'copy');
    // The key has the contents of files already.
    if (copies.every(({ from }) => this.#resultOf(from).kind === 'files')) return undefined;
    const contents = new Map<CopyAction, string>();
    for (const action of copies) {
      const digest = await withSource(
        this.#parts,
        this.#resultOf(action.from),
        action,
        { signal, digests: true },
        (source, settled) => Promise.resolve(digestOfCopy(source, settled)),
      );
      contents.set(action, JSON.stringify([{ ...action, from: undefined }, digest]));
    }
    return contentKeyOf(vertex, this.#resultOf(vertex.base), contents);
  }

  async #execute(id: VertexId, vertex: Work): Promise<LayerStack> {
    const { observer, claim, signal } = this.#inputs;
    switch (vertex.kind) {
      case 'exec': {
        const root = await this.#layersOf(this.#resultOf(vertex.root));
        const layersOf = async (system: FileSystem): Promise<LayerStack> =>
          this.#layersOf(this.#resultOf(system));
        const limit = new OutputLimit();
        return runExecOp(this.#parts, this.#inputs, vertex, root, layersOf, (stream, data) => {
          for (const told of limit.take(data)) observer.output(id, stream, told);
        });
      }
      case 'file': {
        const base = await this.#layersOf(this.#resultOf(vertex.base));
        return runFileOp(this.#parts, this.#inputs, vertex, base, (system) => this.#resultOf(system));
      }
      case 'merge': {
        let layers: LayerStack = [];
        for (const system of vertex.layers) {
          for (const layer of await this.#layersOf(this.#resultOf(system))) {
            layers = [...layers, await claim.restack(layer, layers, { signal })];
          }
        }
        return layers;
      }
    }
  }

  readonly #finder = (system: FileSystem): Result => this.#resultOf(system);

  #resultOf(system: FileSystem): Result {
    if (system === 'scratch') return emptyResult;
    const result = this.#done.get(system);
    if (!result) throw internal(`vertex ${system} is used before it is done`);
    return result;
  }

  /** Files become a layer where a file system is asked for. */
  async #layersOf(result: Result): Promise<LayerStack> {
    if (result.kind === 'layers') return result.layers;
    if (result.kind === 'known') throw internal('layers are used before they are here');
    const key = `files ${result.digest}`;
    const { claim, signal } = this.#inputs;
    const known = this.#parts.cache.find(key);
    if (known && (await claim.use(known.layers))) return known.layers;
    const snapshot = await claim.open([]);
    try {
      const entries = [...result.source.values()]
        .filter(({ header }) => header.name !== '')
        .map(({ header, from }) => (from === undefined ? { header } : { header, from }));
      await mounted(this.#parts, snapshot, { readonly: false }, (root) =>
        this.#parts.archiver.placeEntries({ root, entries, signal }),
      );
      const layers = [await claim.freeze(snapshot, [], { signal })];
      this.#parts.cache.put([key], layers, 'files of the client');
      return layers;
    } catch (error) {
      await claim.discard(snapshot);
      throw error;
    }
  }
}
