import type { ServerResponse } from 'node:http';
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
  let response: ServerResponse | undefined;
  try {
    for await (const reading of stats(exchange.name, { stream, oneShot, signal })) {
      const sample = lowerStats(version, containerStats(reading), { oneShot });
      if (!stream) return ok(sample);
      // Not before the first reading, so that an unknown container is an error.
      response ??= exchange.startStream();
      if (!response.write(encodeJson(sample))) await drained(response);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  (response ?? exchange.startStream()).end();
  return undefined;
}
