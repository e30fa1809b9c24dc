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
import { StepError } from './step-error.ts';
import { emptyResult, filesResult, type Result } from './result.ts';

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
  /** Keys of the cache that were of use. */
  readonly #used = new Set<string>();
  readonly #stop = new AbortController();

  constructor(parts: BuildParts, inputs: BuildInputs) {
    this.#parts = parts;
    this.#inputs = { ...inputs, signal: AbortSignal.any([inputs.signal, this.#stop.signal]) };
  }

  /**
   * The layers of a file system, made where need be. When a step fails, those that are under way are given up; nothing
   * of them goes on after this has rejected.
   */
  async solve(system: FileSystem): Promise<LayerStack> {
    if (system === 'scratch') return [];
    try {
      return await this.#layersOf(await this.#resolve(system));
    } catch (error) {
      this.#stop.abort(canceled());
      await Promise.allSettled(this.#results.values());
      throw error;
    }
  }

  /** The layers that a vertex has resulted in; undefined where it has not, or in no file system. */
  layersOf(id: VertexId): LayerStack | undefined {
    const result = this.#done.get(id);
    return result?.kind === 'layers' ? result.layers : undefined;
  }

  /** Notes what was of use in the cache, once it is known. */
  [Symbol.dispose](): void {
    this.#parts.cache.use(this.#used);
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

  async #cachedOutcome(
    id: VertexId,
    vertex: Extract<Vertex, { kind: 'exec' | 'file' | 'merge' }>,
  ): Promise<Outcome> {
    const key = cacheKeyOf(vertex, (system) => this.#resultOf(system));
    const { underWay } = this.#parts.turns;
    for (let other = underWay.get(key); other; other = underWay.get(key)) await this.#unlessAborted(other);
    const work = this.#lookUpOrPerform(id, key, vertex);
    // At once: who needs the same must find it.
    const settled = work.catch(() => undefined);
    underWay.set(key, settled);
    void settled.then(() => underWay.delete(key));
    return work;
  }

  async #lookUpOrPerform(
    id: VertexId,
    key: string,
    vertex: Extract<Vertex, { kind: 'exec' | 'file' | 'merge' }>,
  ): Promise<Outcome> {
    if (this.#inputs.graph.steps.get(id)?.ignoreCache !== true) {
      const known = await this.#lookUp(key);
      if (known) {
        this.#inputs.journal.found(id, key, this.#finder);
        return { result: known, cached: true };
      }
    }
    const { signal } = this.#inputs;
    return this.#parts.turns.steps.run(async () => this.#perform(id, key, vertex), { signal });
  }

  /** Waits for what another build does, but no longer than this one is wanted. */
  async #unlessAborted(other: Promise<unknown>): Promise<void> {
    const { signal } = this.#inputs;
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([other, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #perform(
    id: VertexId,
    key: string,
    vertex: Extract<Vertex, { kind: 'exec' | 'file' | 'merge' }>,
  ): Promise<Outcome> {
    const step = this.#inputs.graph.steps.get(id);
    const description = step?.name ?? step?.instruction ?? '';
    const byContent = vertex.kind === 'file' ? await this.#contentKey(vertex) : undefined;
    if (byContent !== undefined && step?.ignoreCache !== true) {
      const known = await this.#lookUp(byContent);
      if (known?.kind === 'layers') {
        this.#parts.cache.put([key], known.layers, description);
        this.#inputs.journal.found(id, key, this.#finder);
        return { result: known, cached: true };
      }
    }
    await this.#inputs.journal.missed(id, key, this.#finder);
    const layers = await this.#execute(id, vertex);
    this.#parts.cache.put(byContent === undefined ? [key] : [key, byContent], layers, description);
    return { result: { kind: 'layers', layers }, cached: false };
  }

  /** A step that was done before, if its layers are all still there. */
  async #lookUp(key: string): Promise<Result | undefined> {
    const { cache } = this.#parts;
    const record = cache.find(key);
    if (!record) return undefined;
    if (!(await this.#inputs.claim.use(record.layers))) {
      cache.remove([key]);
      return undefined;
    }
    this.#used.add(key);
    return { kind: 'layers', layers: record.layers };
  }

  /** Key by the contents of what is copied from other stages; undefined where nothing is. */
  async #contentKey(vertex: FileVertex): Promise<string | undefined> {
    const { signal } = this.#inputs;
    const contents = new Map<CopyAction, string>();
    let needed = false;
    for (const action of vertex.actions) {
      if (action.kind !== 'copy') continue;
      const result = this.#resultOf(action.from);
      needed ||= result.kind === 'layers';
      const digest = await withSource(
        this.#parts,
        result,
        action,
        { signal, digests: true },
        (source, settled) => Promise.resolve(digestOfCopy(source, settled)),
      );
      contents.set(action, JSON.stringify([{ ...action, from: undefined }, digest]));
    }
    return needed ? contentKeyOf(vertex, this.#resultOf(vertex.base), contents) : undefined;
  }

  async #execute(
    id: VertexId,
    vertex: Extract<Vertex, { kind: 'exec' | 'file' | 'merge' }>,
  ): Promise<LayerStack> {
    const { observer, claim, signal } = this.#inputs;
    switch (vertex.kind) {
      case 'exec': {
        const root = await this.#layersOf(this.#resultOf(vertex.root));
        const layersOf = async (system: FileSystem): Promise<LayerStack> =>
          this.#layersOf(this.#resultOf(system));
        return runExecOp(this.#parts, this.#inputs, vertex, root, layersOf, (stream, data) =>
          observer.output(id, stream, data),
        );
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
    const key = `files ${result.digest}`;
    const known = await this.#lookUp(key);
    if (known?.kind === 'layers') return known.layers;
    const { claim, signal } = this.#inputs;
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
