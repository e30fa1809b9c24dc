import {
  parseContainerCreateRequest,
  parseUpdateConfig,
  type ContainerCreateResponse,
  type ContainersPruneResponse,
  type ContainerUpdateResponse,
} from '#api/types';
import { invalidArgument } from '#kernel';
import { created, done, noContent, ok, type Answer } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { hasBody } from '../request-body.ts';
import { named, type Route } from '../route.ts';
import { createWarnings } from '../versions/index.ts';
import { refuseCheckpointStart } from './checkpoints.ts';
import { prune, untilTest } from './prune.ts';

type ContainerBackends = Pick<Backends, 'containers' | 'clock' | 'events'>;

/** What changes containers and answers at once. */
export function containerRoutes(backends: ContainerBackends): readonly Route[] {
  const { containers } = backends;
  const act = (
    verb: string,
    operation: string,
    run: (exchange: Exchange) => Promise<void>,
    answer: Answer = noContent,
  ): Route => ({
    method: 'POST',
    path: named('containers', `/${verb}`),
    operation,
    handle: async (exchange) => {
      await run(exchange);
      return answer;
    },
  });
  return [
    {
      method: 'POST',
      path: '/containers/create',
      operation: 'ContainerCreate',
      handle: async (exchange) => create(backends, exchange),
    },
    {
      method: 'POST',
      path: '/containers/prune',
      operation: 'ContainerPrune',
      handle: async (exchange) => ok(await pruneContainers(backends, exchange)),
    },
    act('start', 'ContainerStart', async (exchange) => {
      refuseStart(backends, exchange);
      await containers.start(exchange.name, { signal: exchange.signal });
    }),
    act('stop', 'ContainerStop', async (exchange) => containers.stop(exchange.name, stopOptions(exchange))),
    act('restart', 'ContainerRestart', async (exchange) =>
      containers.restart(exchange.name, stopOptions(exchange)),
    ),
    act('kill', 'ContainerKill', async (exchange) =>
      containers.kill(exchange.name, exchange.query.text('signal')),
    ),
    act('pause', 'ContainerPause', async (exchange) => containers.pause(exchange.name)),
    act('unpause', 'ContainerUnpause', async (exchange) => containers.unpause(exchange.name)),
    act('rename', 'ContainerRename', async (exchange) => {
      const name = exchange.query.text('name');
      if (name === '') throw invalidArgument('Neither old nor new names may be empty');
      await containers.rename(exchange.name, name);
    }),
    act(
      'resize',
      'ContainerResize',
      async (exchange) => containers.resize(exchange.name, consoleSize(exchange)),
      done,
    ),
    {
      method: 'POST',
      path: named('containers', '/update'),
      operation: 'ContainerUpdate',
      handle: async (exchange) => {
        const update = await exchange.body(parseUpdateConfig);
        const { warnings } = await containers.update(exchange.name, update);
        const answer: ContainerUpdateResponse = { Warnings: warnings.length > 0 ? warnings : null };
        return ok(answer);
      },
    },
    {
      method: 'DELETE',
      path: named('containers'),
      operation: 'ContainerDelete',
      handle: async (exchange) => {
        const { query } = exchange;
        await containers.remove(exchange.name, {
          force: query.boolean('force'),
          volumes: query.boolean('v'),
          link: query.boolean('link'),
        });
        return noContent;
      },
    },
  ];
}

async function create({ containers }: ContainerBackends, exchange: Exchange): Promise<Answer> {
  const request = await exchange.body((body) => {
    if (body === undefined) throw invalidArgument('invalid JSON: got EOF while reading request body');
    if (body === null) throw invalidArgument('config cannot be empty in order to create a container');
    return parseContainerCreateRequest(body);
  });
  const name = exchange.query.text('name');
  const platform = exchange.query.text('platform');
  const { id, warnings } = await containers.create(request, {
    ...(name !== '' && { name }),
    ...(platform !== '' && { platform }),
    signal: exchange.signal,
  });
  const answer: ContainerCreateResponse = {
    Id: id,
    Warnings: [...createWarnings(exchange.version, request), ...warnings],
  };
  return created(answer);
}

function refuseStart(backends: ContainerBackends, exchange: Exchange): void {
  refuseStartBody(exchange);
  refuseCheckpointStart(backends, exchange);
}

/** Starting once took a configuration; clients that still send one would be surprised. */
function refuseStartBody(exchange: Exchange): void {
  const { headers } = exchange.request;
  const short = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= 7;
  if (hasBody(exchange.request) && !short) {
    throw invalidArgument(
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  }
}

function stopOptions(exchange: Exchange): { stopSignal?: string; timeout?: number; signal: AbortSignal } {
  const stopSignal = exchange.query.text('signal');
  const timeout = exchange.query.integer('t');
  return {
    ...(stopSignal !== '' && { stopSignal }),
    ...(timeout !== undefined && { timeout }),
    signal: exchange.signal,
  };
}

/** Rows and columns from `h` and `w`. Throws invalidArgument. */
export function consoleSize(exchange: Exchange): { rows: number; columns: number } {
  const read = (name: string, noun: string): number => {
    const text = exchange.query.text(name);
    if (!/^-?\d+$/.test(text)) {
      throw invalidArgument(`invalid resize ${noun} ${JSON.stringify(text)}: invalid syntax`);
    }
    if (Number(text) < 0 || Number(text) >= 2 ** 32) {
      throw invalidArgument(`invalid resize ${noun} ${JSON.stringify(text)}: value out of range`);
    }
    return Number(text);
  };
  return { rows: read('h', 'height'), columns: read('w', 'width') };
}

async function pruneContainers(
  { containers, clock, events }: ContainerBackends,
  { query, signal }: Exchange,
): Promise<ContainersPruneResponse> {
  const filters = query.filters(['label', 'label!', 'until']);
  const isOldEnough = untilTest(filters, clock.now());
  const { removed, bytes } = await prune({
    noun: 'container',
    items: containers
      .list()
      .filter(({ state }) => ['created', 'exited', 'dead'].includes(state.status))
      .filter(({ config, createdAt }) => filters.labels(config.Labels) && isOldEnough(createdAt)),
    remove: async ({ id }) => {
      const { sizeRw } = await containers.size(id);
      await containers.remove(id, { force: false, volumes: false, link: false });
      return { removed: [id], bytes: sizeRw };
    },
    events,
    signal,
  });
  return { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: bytes };
}
