import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { createHash } from 'node:crypto';
import type { BuildWarning } from '../checks/checks.ts';
import type { Location } from '../dockerfile/location.ts';
import type { BuildGraph } from '../graph/graph-builder.ts';
import { inputsOf } from '../graph/vertex.ts';
import type { BuildObserver } from '../solver/ports.ts';
import { StatusResponseSchema, type StatusResponse } from '#buildkit';

const now = (): Timestamp => timestampFromMs(Date.now());

const digestOf = (name: string): string => `sha256:${createHash('sha256').update(name).digest('hex')}`;

type Status = MessageInitShape<typeof StatusResponseSchema>;

/** Milliseconds between two amounts that are told of one transfer. */
const interval = 100;

/** A transfer of a vertex: when it was told of, and what has not been told since. */
interface Amounts {
  readonly toldAt: number;
  readonly untold: Status | undefined;
}

interface Vertex {
  readonly digest: string;
  readonly name?: string;
  readonly inputs?: string[];
  readonly started?: Timestamp;
  readonly completed?: Timestamp;
  readonly cached?: boolean;
  readonly error?: string;
}

/** What is told of one build, from its beginning on, to everybody who asks. */
export class BuildProgress {
  readonly #told: StatusResponse[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #vertices = new Map<string, Vertex>();
  readonly #amounts = new Map<string, Map<string, Amounts>>();
  #isEnded = false;

  tell(status: Status): void {
    if (this.#isEnded) return;
    this.#told.push(create(StatusResponseSchema, status));
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Steps so far: those that succeeded, and those of them that were known before. */
  get counts(): { readonly total: number; readonly completed: number; readonly cached: number } {
    const done = [...this.#vertices.values()].filter(({ completed, error }) => completed && !error);
    const cached = done.filter((vertex) => vertex.cached === true).length;
    return { total: this.#vertices.size, completed: done.length, cached };
  }

  /** All that was told, in order. */
  get told(): readonly StatusResponse[] {
    return this.#told;
  }

  async *stream(signal: AbortSignal): AsyncGenerator<StatusResponse, void> {
    for (let next = 0; !signal.aborted;) {
      const status = this.#told[next];
      if (status) {
        next += 1;
        yield status;
      } else if (this.#isEnded) return;
      else await this.#more(signal);
    }
  }

  /** Something that is done beside the graph, such as `[internal] load .dockerignore`. */
  async during<T>(name: string, work: (step: InternalStep) => Promise<T>): Promise<T> {
    const digest = digestOf(`${name} ${this.#vertices.size}`);
    this.#vertex(digest, { name, started: now() });
    const begun = new Map<string, Timestamp>();
    try {
      const result = await work({
        begins: (id) => {
          const started = now();
          begun.set(id, started);
          this.tell({ statuses: [{ id, vertex: digest, name: id, timestamp: started, started }] });
        },
        transferred: (id, current, total) => this.transferred(digest, id, current, total),
        did: (id) => {
          const time = now();
          const started = begun.get(id) ?? time;
          const statuses = [{ id, vertex: digest, name: id, timestamp: time, started, completed: time }];
          this.tell({ statuses });
        },
        output: (data) =>
          this.tell({ logs: [{ vertex: digest, timestamp: now(), stream: 2n, msg: Uint8Array.from(data) }] }),
      });
      this.#vertex(digest, { completed: now() });
      return result;
    } catch (error) {
      this.#vertex(digest, {
        completed: now(),
        error: error instanceof Error ? error.message : String(error),
      });
      throw error;
    }
  }

  /**
   * Bytes that came for a vertex; without a total it is not known, and with all of it the transfer is done. Told now and
   * then only, but for the last amount, which is told with the vertex's end at the latest.
   */
  transferred(vertex: string, id: string, current: number, total?: number): void {
    const time = now();
    // Of what is there already clients show only how much it was.
    const isEnded = total !== undefined && current >= total;
    const amounts = { current: BigInt(current), total: BigInt(isEnded ? 0 : (total ?? 0)) };
    const ended = isEnded ? { started: time, completed: time } : {};
    const status = { statuses: [{ id, vertex, name: id, ...amounts, timestamp: time, ...ended }] };
    const known = this.#amounts.get(vertex) ?? new Map<string, Amounts>();
    this.#amounts.set(vertex, known);
    const toldAt = known.get(id)?.toldAt ?? 0;
    const isDue = isEnded || Date.now() - toldAt >= interval;
    known.set(id, isDue ? { toldAt: Date.now(), untold: undefined } : { toldAt, untold: status });
    if (isDue) this.tell(status);
  }

  /** Tells of the vertices of a graph; not again of those that an earlier one had done. */
  observe({ vertices, steps }: BuildGraph): BuildObserver {
    const isDone = (id: string): boolean => {
      const known = this.#vertices.get(id);
      return known?.completed !== undefined && known.error === undefined;
    };
    const done = new Set<string>([...vertices.keys()].filter(isDone));
    for (const [id, vertex] of vertices) {
      if (done.has(id)) continue;
      this.#vertices.set(id, { digest: id, name: steps.get(id)?.name ?? '', inputs: inputsOf(vertex) });
    }
    this.tell({ vertexes: [...vertices.keys()].map((id) => this.#vertices.get(id) ?? { digest: id }) });
    return {
      started: (id) => {
        if (!done.has(id)) this.#vertex(id, { started: now() });
      },
      output: (id, stream, data) => {
        const log = {
          vertex: id,
          timestamp: now(),
          stream: stream === 'stdout' ? 1n : 2n,
          msg: new Uint8Array(data),
        };
        this.tell({ logs: [log] });
      },
      completed: (id, { cached, error }) => {
        if (done.has(id)) return;
        this.#vertex(id, { completed: now(), cached, ...(error && { error: error.message }) });
      },
    };
  }

  /** Tells of warnings of a file, on the vertex that loads it. */
  warn(warnings: readonly BuildWarning[], file: { readonly name: string; readonly text: string }): void {
    if (warnings.length === 0) return;
    const [vertex = ''] = this.#vertices.keys();
    const info = { filename: file.name, data: Buffer.from(file.text), language: 'Dockerfile' };
    this.tell({
      warnings: warnings.map((warning) => ({
        ...{ vertex, level: 1n, info, url: warning.rule.url },
        short: Buffer.from(`${warning.rule.name}: ${warning.message} (line ${warning.location.firstLine})`),
        detail: [Buffer.from(warning.rule.description)],
        ranges: [rangeOf(warning.location)],
      })),
    });
  }

  #vertex(digest: string, change: Omit<Vertex, 'digest'>): void {
    if (change.completed) {
      for (const { untold } of this.#amounts.get(digest)?.values() ?? []) if (untold) this.tell(untold);
      this.#amounts.delete(digest);
    }
    const vertex = { ...this.#vertices.get(digest), digest, ...change };
    this.#vertices.set(digest, vertex);
    this.tell({ vertexes: [vertex] });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #more(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    // A build tells so often that listeners that stay would be what costs most.
    signal.removeEventListener('abort', wake);
  }
}

export const rangeOf = ({ firstLine, firstColumn, lastLine, lastColumn }: Location): Range => ({
  start: { line: firstLine, character: firstColumn },
  end: { line: lastLine, character: lastColumn },
});

interface Range {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** For telling how something that is done beside the graph goes on. */
export interface InternalStep {
  /** Bytes; without a total it is not known. */
  transferred(id: string, current: number, total?: number): void;
  /** Something begins that takes a while; did() ends it. */
  begins(id: string): void;
  did(id: string): void;
  output(data: Uint8Array): void;
}
