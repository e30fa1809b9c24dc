import { topOf, type LayerStack } from '#images';
import type { SharedStep } from '../cache/cache-config.ts';
import type { BlobSource } from '#images';
import type { Digest } from '#oci';
import type { VertexId } from '../graph/vertex.ts';
import type { BuildInputs, BuildParts } from './ports.ts';
import type { KnownResult, Result } from './result.ts';

/** A step of a build with what it came to, for who wants to share it. */
export interface SolvedStep extends SharedStep {
  readonly vertex: VertexId;
  /** Where the blobs of its layers are; undefined: here. */
  readonly from: BlobSource | undefined;
}

/** What one build knows of steps: from the engine's cache, and from caches that it was given. */
export class StepCache implements Disposable {
  readonly #parts: BuildParts;
  readonly #inputs: BuildInputs;
  /** Keys that were of use. */
  readonly #used = new Set<string>();
  /** Keys of results that could not be had after all. */
  readonly #lost = new Set<string>();
  readonly #solved = new Map<string, SolvedStep>();
  readonly #elsewhere = new Map<VertexId, KnownResult>();

  constructor(parts: BuildParts, inputs: BuildInputs) {
    this.#parts = parts;
    this.#inputs = inputs;
  }

  /** A step that was done before: here, if its layers are all still here, else elsewhere. */
  async find(id: VertexId, key: string): Promise<Result | undefined> {
    const layers = await this.#findHere(key);
    const step = this.#lost.has(key) ? undefined : this.#inputs.imported.step(key);
    if (layers) {
      this.#used.add(key);
      this.#note(id, key, topOf(layers), layers);
      if (step && step.chain !== topOf(layers)) this.#elsewhere.set(id, { kind: 'known', key, step });
      return { kind: 'layers', layers };
    }
    if (!step) return undefined;
    this.#note(id, key, step.chain, step.layers, step.from);
    return { kind: 'known', key, step };
  }

  /** What another builder made of a step, where it came out otherwise here: later steps may be known of that. */
  elsewhere(id: VertexId): KnownResult | undefined {
    return this.#elsewhere.get(id);
  }

  async #findHere(key: string): Promise<LayerStack | undefined> {
    const { cache } = this.#parts;
    const record = cache.find(key);
    if (!record) return undefined;
    if (await this.#inputs.claim.use(record.layers)) return record.layers;
    cache.remove([key]);
    return undefined;
  }

  put(id: VertexId, keys: readonly string[], layers: LayerStack, description: string): void {
    this.#parts.cache.put(keys, layers, description);
    for (const key of keys) this.#note(id, key, topOf(layers), layers);
  }

  /** Brings the layers of a known result here; undefined where they cannot be had: the step has to be done again. */
  async fetch(id: VertexId, { key, step }: KnownResult): Promise<LayerStack | undefined> {
    const { claim, signal, observer, graph } = this.#inputs;
    try {
      const layers = step.from && step.layers && (await claim.receive(step.layers, step.from, { signal }));
      const here = layers ?? (step.layers && (await claim.use(step.layers)) ? step.layers : undefined);
      if (here) {
        this.put(id, [key], here, graph.steps.get(id)?.name ?? '');
        return here;
      }
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      const text = `the cache's layers cannot be had, the step is done again: ${message}\n`;
      observer.output(id, 'stderr', Buffer.from(text));
    }
    this.#lost.add(key);
    for (const [each, { vertex }] of this.#solved) if (vertex === id) this.#solved.delete(each);
    return undefined;
  }

  /** What the build came to, step by step, as far as it was asked for. */
  get solved(): readonly SolvedStep[] {
    return [...this.#solved.values()];
  }

  /** Notes what was of use in the cache. */
  [Symbol.dispose](): void {
    this.#parts.cache.use(this.#used);
  }

  #note(
    vertex: VertexId,
    key: string,
    chain: Digest | undefined,
    layers: LayerStack | undefined,
    from?: BlobSource,
  ): void {
    if (chain !== undefined) this.#solved.set(key, { vertex, key, chain, layers, from });
  }
}
