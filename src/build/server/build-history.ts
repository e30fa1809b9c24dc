import { create, fromJsonString, toJsonString } from '@bufbuild/protobuf';
import {
  BuildHistoryEventSchema,
  BuildHistoryRecordSchema,
  type BuildHistoryEvent,
  type BuildHistoryRecord,
  type BuildHistoryRequest,
  type StatusResponse,
  type UpdateBuildHistoryRequest,
} from '#buildkit';
import type { HistoryEntry, HistoryStore } from '../history/history-store.ts';
import { historyFilter } from './history-filter.ts';
import { begunRecord, endedRecord, type BegunBuild, type EndedBuild } from './history-record.ts';
import { decodeStatusLog } from './status-log.ts';

/** A build while it is recorded. */
export interface Recording {
  /** Keeps what is known of it. */
  end(ended: EndedBuild): Promise<void>;
}

const types = { started: 0, complete: 1, deleted: 2 } as const;

const recordOf = ({ record, pinned, generation }: HistoryEntry): BuildHistoryRecord => ({
  ...fromJsonString(BuildHistoryRecordSchema, record),
  pinned,
  generation,
});

/** Builds that are under way and those that are over, for clients who list them or follow them. */
export class BuildHistory {
  readonly #store: HistoryStore;
  readonly #active = new Map<string, BuildHistoryRecord>();
  readonly #listeners = new Set<(event: BuildHistoryEvent) => void>();

  constructor(store: HistoryStore) {
    this.#store = store;
  }

  begin(begun: BegunBuild): Recording {
    const record = begunRecord(begun);
    this.#active.set(record.ref, record);
    this.#tell('started', record);
    return { end: (ended) => this.#end(begun, ended) };
  }

  /** Those that are known, and then, unless the client leaves early, what happens. */
  async *listen(request: BuildHistoryRequest, signal: AbortSignal): AsyncGenerator<BuildHistoryEvent, void> {
    const fits = historyFilter(request.filter, Date.now());
    const isMeant = (record: BuildHistoryRecord): boolean =>
      (request.ref === '' || record.ref === request.ref) && fits(record);
    const events: BuildHistoryEvent[] = this.#known(request, isMeant);
    let wake: () => void = () => undefined;
    const listener = (event: BuildHistoryEvent): void => {
      if (!event.record || !isMeant(event.record)) return;
      events.push(event);
      wake();
    };
    const left = (): void => wake();
    if (!request.earlyExit) this.#listeners.add(listener);
    signal.addEventListener('abort', left, { once: true });
    try {
      while (!signal.aborted) {
        const event = events.shift();
        if (event) yield event;
        else if (request.earlyExit) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', left);
    }
  }

  /** Pins, lets go or removes a record. Throws notFound. */
  async update({ ref, pinned, delete: isRemoved, finalize }: UpdateBuildHistoryRequest): Promise<void> {
    // Records are whole as soon as they are there: no traces are waited for.
    if (finalize && !isRemoved) return;
    const entry = isRemoved ? this.#store.find(ref) : this.#store.pin(ref, pinned);
    if (isRemoved) await this.#store.remove(ref);
    if (entry) this.#tell(isRemoved ? 'deleted' : 'complete', recordOf(entry));
  }

  /** What was told of a build that is over; undefined where it is not known. */
  async replay(ref: string): Promise<AsyncIterable<StatusResponse> | undefined> {
    const entry = this.#store.find(ref);
    const digest = entry && recordOf(entry).logs?.digest;
    const size = digest === undefined ? undefined : await this.#store.size(digest);
    if (digest === undefined || size === undefined) return undefined;
    return decodeStatusLog(this.#store.open(digest, { start: 0, end: size }));
  }

  async #end(begun: BegunBuild, ended: EndedBuild): Promise<void> {
    const { ref } = begun.request;
    try {
      const { record, blobs } = endedRecord(begun, ended);
      const text = toJsonString(BuildHistoryRecordSchema, record);
      const gone = await this.#store.put({ ref, createdAt: begun.startedAt, record: text }, blobs);
      this.#tell('complete', record);
      for (const old of gone) this.#tell('deleted', create(BuildHistoryRecordSchema, { ref: old }));
    } catch {
      // The disk is full, or was taken away: the build is what it is also without a record.
    } finally {
      this.#active.delete(ref);
    }
  }

  #known(
    { activeOnly, limit }: BuildHistoryRequest,
    isMeant: (record: BuildHistoryRecord) => boolean,
  ): BuildHistoryEvent[] {
    const active = [...this.#active.values()].filter(isMeant).map((record) => event('started', record));
    if (activeOnly) return active;
    const over = this.#store.list().map(recordOf).filter(isMeant);
    const kept = limit > 0 ? over.slice(0, limit) : over;
    return [...active, ...kept.map((record) => event('complete', record))];
  }

  #tell(type: keyof typeof types, record: BuildHistoryRecord): void {
    for (const listener of this.#listeners) listener(event(type, record));
  }
}

const event = (type: keyof typeof types, record: BuildHistoryRecord): BuildHistoryEvent =>
  create(BuildHistoryEventSchema, { type: types[type], record });
