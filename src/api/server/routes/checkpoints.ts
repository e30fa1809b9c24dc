import { parseCheckpointRequest } from '#api/types';
import { internal, permissionDenied, unimplemented } from '#kernel';
import { ok } from '../answer.ts';
import type { Backends, ServerIdentity } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { named, type Route } from '../route.ts';

const noSuchCheckpoint = (checkpoint: string, container: string): Error =>
  internal(`checkpoint ${checkpoint} does not exist for container ${container}`);

/** Checkpoints are an experimental feature of the API. None is ever made, so there is none to list or to remove. */
export function checkpointRoutes(
  { containers }: Pick<Backends, 'containers'>,
  identity: ServerIdentity,
): readonly Route[] {
  const route = (
    method: Route['method'],
    [path, operation]: readonly [string, string],
    handle: Route['handle'],
  ): Route => ({
    method,
    path,
    operation,
    handle: async (exchange) => {
      requireExperimental(identity);
      return handle(exchange);
    },
  });
  if (!containers.checkpoint) return [];
  const create = containers.checkpoint.bind(containers);
  const all = named('containers', '/checkpoints');
  return [
    route('POST', [all, 'ContainerCheckpointCreate'], async (exchange) => {
      const { CheckpointID: id = '' } = await exchange.body(parseCheckpointRequest);
      return create(exchange.name, id);
    }),
    route('GET', [all, 'ContainerCheckpointList'], (exchange) => {
      containers.get(exchange.name);
      if (exchange.query.text('dir') !== '') throw noSuchCheckpoint('', exchange.name);
      return ok([]);
    }),
    route('DELETE', [`${all}/:checkpoint`, 'ContainerCheckpointDelete'], (exchange) => {
      containers.get(exchange.name);
      throw noSuchCheckpoint(exchange.params['checkpoint'] ?? '', exchange.name);
    }),
  ];
}

function requireExperimental({ experimental }: ServerIdentity): void {
  if (experimental) return;
  throw unimplemented(
    'This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.',
  );
}

/** A start can name a checkpoint, of which there is none. Throws notFound, permissionDenied or internal. */
export function refuseCheckpointStart(
  { containers }: Pick<Backends, 'containers'>,
  exchange: Exchange,
): void {
  const checkpoint = exchange.query.text('checkpoint');
  const folder = exchange.query.text('checkpoint-dir');
  if (checkpoint === '' && folder === '') return;
  const { name, state } = containers.get(exchange.name);
  if (state.status === 'running') return;
  if (folder !== '') throw permissionDenied('custom checkpointdir is not supported');
  throw noSuchCheckpoint(checkpoint, `/${name}`);
}
