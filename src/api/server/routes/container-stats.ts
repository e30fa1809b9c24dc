import { invalidArgument } from '#kernel';
import { encodeJson, ok, type Answer } from '../answer.ts';
import type { Backends, ContainersBackend } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { drained } from '../hijack/raw-stream.ts';
import { named, type Route } from '../route.ts';
import { lowerStats } from '../versions/index.ts';
import { containerStats } from '../views/stats.ts';

/** GET /containers/{name}/stats, where the engine measures. */
export function containerStatsRoutes({ containers }: Pick<Backends, 'containers'>): readonly Route[] {
  if (!containers.stats) return [];
  const stats = containers.stats.bind(containers);
  return [
    {
      method: 'GET',
      path: named('containers', '/stats'),
      operation: 'ContainerStats',
      handle: async (exchange) => serve(stats, exchange),
    },
  ];
}

type Stats = NonNullable<ContainersBackend['stats']>;

async function serve(stats: Stats, exchange: Exchange): Promise<Answer | undefined> {
  const { query, signal, version } = exchange;
  const stream = !query.has('stream') || query.boolean('stream');
  const oneShot = query.boolean('one-shot');
  if (stream && oneShot) throw invalidArgument('cannot have stream=true and one-shot=true');
  const samples = stats(exchange.name, { stream, oneShot, signal });
  // The first is asked for before the status is sent, so that an unknown container is an error.
  let next = await samples.next();
  if (!stream) {
    return next.done ? undefined : ok(lowerStats(version, containerStats(next.value), { oneShot }));
  }
  const response = exchange.startStream();
  try {
    for (; !next.done; next = await samples.next()) {
      const text = encodeJson(lowerStats(version, containerStats(next.value), { oneShot }));
      if (!response.write(text)) await drained(response);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await samples.return();
  }
  response.end();
  return undefined;
}
