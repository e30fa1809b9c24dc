import { Control, type BuildkitVersion, type WorkerRecord } from '#buildkit';
import type { Context } from '../context.ts';
import { EngineCalls } from './engine-calls.ts';

/** Milliseconds in which a builder has to answer. */
const patience = 20_000;

/** Refuses every builder but the one that there is: the engine's. Throws buildx's text. */
export function onlyDefault(name: string, folder: string): void {
  if (name === '' || name === 'default') return;
  throw new Error(
    `failed to find instance ${JSON.stringify(name)}: open ${folder}/buildx/instances/${name}: no such file or directory`,
  );
}

/** Has `task` speak with the engine's builder. */
export async function withBuilder<T>(
  context: Context,
  task: (calls: EngineCalls, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using calls = await EngineCalls.open(context.engine);
  return await task(calls, AbortSignal.timeout(patience));
}

/** The engine's builder as it tells of itself. */
export interface BuilderNode {
  readonly workers: readonly WorkerRecord[];
  readonly version: BuildkitVersion | undefined;
}

export async function findNode(context: Context): Promise<BuilderNode> {
  return withBuilder(context, async (calls, signal) => {
    const { record } = await calls.call(Control.method.listWorkers, {}, { signal });
    const info = await calls.call(Control.method.info, {}, { signal }).catch(() => undefined);
    return { workers: record, version: info?.buildkitVersion };
  });
}

export function platformsOf({ workers }: BuilderNode): string[] {
  const names = workers.flatMap(({ platforms }) =>
    platforms.map(({ os, architecture, variant }) =>
      [os, architecture, variant].filter((part) => part !== '').join('/'),
    ),
  );
  return [...new Set(names)];
}
