import type { ContainerStatsResponse, ContainerSummary, EventMessage } from '#api/types';
import type { Context } from '../../context.ts';
import { encodeFilters } from '../filters.ts';
import { containerPath } from '../each.ts';
import { measure, type Usage } from './stats-listing.ts';

/** Milliseconds between two pictures of the table. */
const interval = 500;

/** Rows of containers that are being measured, in the order they came. */
class LiveRows {
  readonly #context: Context;
  readonly #rows = new Map<string, { usage: Usage; readonly stop: AbortController }>();

  constructor(context: Context) {
    this.#context = context;
  }

  get usages(): readonly Usage[] {
    return [...this.#rows.values()].map(({ usage }) => usage);
  }

  add(name: string): void {
    if (this.#rows.has(name)) return;
    this.#rows.set(name, { usage: { container: name }, stop: new AbortController() });
    // A container that is gone loses its row, whatever the reason.
    this.#follow(name)
      .catch(() => undefined)
      .finally(() => this.#rows.delete(name));
  }

  remove(name: string): void {
    this.#rows.get(name)?.stop.abort();
    this.#rows.delete(name);
  }

  clear(): void {
    for (const name of [...this.#rows.keys()]) this.remove(name);
  }

  async #follow(name: string): Promise<void> {
    const row = this.#rows.get(name);
    if (!row) return;
    const samples = this.#context.engine.objects<ContainerStatsResponse>({
      method: 'GET',
      path: `${containerPath(name)}/stats`,
      query: { stream: true },
      signal: row.stop.signal,
    });
    for await (const stats of samples) row.usage = measure(name, stats);
  }
}

/** Ids of running containers, or of all. */
export async function listContainers(context: Context, all: boolean): Promise<string[]> {
  const containers = await context.engine.json<readonly ContainerSummary[]>({
    method: 'GET',
    path: '/containers/json',
    query: { all },
  });
  return containers.map(({ Id }) => Id);
}

/**
 * Redraws the table twice a second. Named containers: until none of them is left. Otherwise for ever, with what starts
 * and without what ends; throws when the engine goes away.
 */
export async function watchStats(
  context: Context,
  names: readonly string[],
  options: { readonly all: boolean; draw(rows: readonly Usage[]): void },
): Promise<void> {
  const rows = new LiveRows(context);
  const stop = new AbortController();
  let failure: Error | undefined;
  const followed =
    names.length > 0 ? undefined : followStarts(context, rows, { all: options.all, signal: stop.signal });
  followed?.catch((error: unknown) => (failure = error instanceof Error ? error : new Error(String(error))));
  for (const name of names) rows.add(name);
  try {
    do {
      await new Promise((resolve) => setTimeout(resolve, interval));
      if (failure) throw failure;
      options.draw(rows.usages);
    } while (names.length === 0 || rows.usages.length > 0);
  } finally {
    stop.abort();
    rows.clear();
  }
}

/** Adds and removes rows as containers come and go. Events are asked for first, so that none is missed. */
async function followStarts(
  context: Context,
  rows: LiveRows,
  { all, signal }: { readonly all: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const answer = context.engine.objects<EventMessage>({
    method: 'GET',
    path: '/events',
    query: { filters: encodeFilters({ type: ['container'] }) },
    signal,
  });
  const next = answer.next();
  next.catch(() => undefined);
  for (const id of await listContainers(context, all)) rows.add(id);
  for (let event = await next; !event.done; event = await answer.next()) {
    const { Action, Actor } = event.value;
    if (Action === 'start' || (all && Action === 'create')) rows.add(Actor.ID);
    if (Action === 'destroy' || (!all && Action === 'die')) rows.remove(Actor.ID);
  }
  throw new Error('the engine has gone away');
}
