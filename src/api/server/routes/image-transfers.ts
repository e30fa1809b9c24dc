import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseContainerConfig, type ContainerConfig } from '#api/types';
import { invalidArgument, messageOf } from '#kernel';
import { familiarString, parseReference, withDefaultTag, type ImageRuntimeConfig, type Platform } from '#oci';
import { created, type Answer } from '../answer.ts';
import type { Backends } from '../backends.ts';
import { applyChanges } from '../changes.ts';
import type { Exchange } from '../exchange.ts';
import { named, type Route } from '../route.ts';
import { withProgress } from './progress-stream.ts';
import { commandOf } from '../views/container-inspect.ts';
import { anyPlatformOf, decodePlatform } from './image-platform.ts';
import { joinTag, newName } from './images.ts';
import { registryAuth } from './system.ts';

type TransferBackends = Pick<Backends, 'images' | 'containers'>;

/** Moving images in and out, and making them of containers. */
export function imageTransferRoutes(backends: TransferBackends): readonly Route[] {
  const { images } = backends;
  return [
    {
      method: 'POST',
      path: '/images/create',
      operation: 'ImageCreate',
      handle: async (exchange) => {
        if (exchange.query.text('fromImage') === '') await importImage(backends, exchange);
        else await pull(backends, exchange);
        return undefined;
      },
    },
    {
      method: 'POST',
      path: '/images/load',
      operation: 'ImageLoad',
      handle: async (exchange) => {
        const quiet = exchange.query.boolean('quiet');
        const platforms = platformsOf(exchange);
        await withProgress(
          exchange,
          async (report) => {
            await images.load(exchange.request, {
              signal: exchange.signal,
              platforms,
              report: (event) => {
                if (!quiet || event.stream !== undefined) report(event);
              },
            });
          },
          // What is wrong with the archive, as clients know it.
          { failure: 'streamed' },
        );
        return undefined;
      },
    },
    {
      method: 'GET',
      path: '/images/get',
      operation: 'ImageGetAll',
      handle: async (exchange) =>
        save(
          backends,
          exchange,
          exchange.query.all('names').flatMap((names) => names.split(',')),
        ),
    },
    {
      method: 'GET',
      path: named('images', '/get'),
      operation: 'ImageGet',
      handle: async (exchange) => save(backends, exchange, [exchange.name]),
    },
    {
      method: 'POST',
      path: named('images', '/push'),
      operation: 'ImagePush',
      handle: async (exchange) => push(backends, exchange),
    },
    {
      method: 'POST',
      path: '/commit',
      operation: 'ImageCommit',
      handle: async (exchange) => commit(backends, exchange),
    },
  ];
}

const platformsOf = ({ query }: Exchange): readonly Platform[] =>
  query
    .all('platform')
    .filter((text) => text !== '')
    .map(decodePlatform);

async function pull({ images }: TransferBackends, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const auth = registryAuth(exchange);
  const name = query.text('fromImage');
  const tag = query.text('tag');
  const reference = parseReference(/:/.test(tag) ? joinTag(name, tag) : newName(name, tag));
  const allTags = reference.tag === undefined && reference.digest === undefined;
  await withProgress(exchange, async (report) => {
    await images.pull(joinTag(name, tag), {
      auth,
      allTags,
      ...anyPlatformOf(exchange.query),
      signal: exchange.signal,
      report,
    });
  });
}

async function importImage({ images }: TransferBackends, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const source = query.text('fromSrc');
  const archive = source === '-' ? exchange.request : await download(source, exchange.signal);
  const repo = query.text('repo');
  const message = query.text('message');
  const config = applyChanges({}, query.all('changes'));
  await withProgress(exchange, async (report) => {
    const id = await images.import(archive, {
      ...(repo !== '' && { reference: newName(repo, query.text('tag')) }),
      message: message === '' ? `Imported from ${source}` : message,
      config,
      ...anyPlatformOf(exchange.query),
      signal: exchange.signal,
      report,
    });
    report({ status: id });
  });
}

async function download(source: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const url = /^https?:\/\//.test(source) ? source : `http://${source}`;
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw invalidArgument(`cannot download ${url}: ${messageOf(cause)}`, error);
  }
  if (!response.ok || !response.body) {
    throw invalidArgument(`cannot download ${url}: the server answered ${response.status}`);
  }
  return Readable.fromWeb(response.body);
}

async function save(
  { images }: TransferBackends,
  exchange: Exchange,
  names: readonly string[],
): Promise<undefined> {
  if (names.length === 0) throw invalidArgument('no image was named: give at least one `names`');
  const archive = await images.save(names, { signal: exchange.signal, platforms: platformsOf(exchange) });
  await pipeline(archive, exchange.startStream('application/x-tar'));
  return undefined;
}

async function push({ images }: TransferBackends, exchange: Exchange): Promise<undefined> {
  const auth = registryAuth(exchange);
  const { name, query, signal } = exchange;
  await withProgress(exchange, async (report) => {
    await images.push(joinTag(name, query.text('tag')), { auth, ...anyPlatformOf(query), signal, report });
  });
  return undefined;
}

async function commit({ images, containers }: TransferBackends, exchange: Exchange): Promise<Answer> {
  const { query, signal } = exchange;
  const body = await exchange.body(parseContainerConfig);
  const container = query.text('container');
  if (container === '') throw invalidArgument('invalid name or ID supplied: ""');
  const record = containers.get(container);
  const changed = applyChanges(committedConfig(record.config, body), query.all('changes'));
  const repo = query.text('repo');
  const reference = repo === '' ? undefined : newName(repo, query.text('tag'));
  const comment = query.text('comment');
  const author = query.text('author');
  // Older clients send no `pause` and get one.
  const pause =
    record.state.status === 'running' &&
    !record.state.paused &&
    (!query.has('pause') || query.boolean('pause'));
  if (pause) await containers.pause(record.id);
  try {
    const id = await images.commit(
      {
        containerId: record.id,
        parent: record.imageId,
        config: changed,
        containerConfig: record.config,
        history: {
          created_by: commandOf(record).join(' '),
          ...(comment !== '' && { comment }),
          ...(author !== '' && { author }),
        },
        ...(author !== '' && { author }),
        ...(reference !== undefined && { reference }),
      },
      { signal },
    );
    containers.committed(record.id, {
      comment,
      imageID: id,
      imageRef: reference === undefined ? '' : familiarString(withDefaultTag(parseReference(reference))),
    });
    return created({ Id: id });
  } finally {
    if (pause) await containers.unpause(record.id);
  }
}

const imageFields = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'StopTimeout',
  'ArgsEscaped',
  'Healthcheck',
  'OnBuild',
  'Shell',
] as const satisfies readonly (keyof ImageRuntimeConfig & keyof ContainerConfig)[];

/** What of a container's configuration an image keeps; what the request sets goes first, sets are joined. */
function committedConfig(container: ContainerConfig, request: ContainerConfig): ImageRuntimeConfig {
  const joined: ContainerConfig = {
    ...container,
    ...request,
    Labels: { ...container.Labels, ...request.Labels },
    ExposedPorts: { ...container.ExposedPorts, ...request.ExposedPorts },
    Volumes: { ...container.Volumes, ...request.Volumes },
    Env: joinEnvironment(container.Env ?? [], request.Env ?? []),
  };
  const kept = imageFields.map((field): [string, unknown] => [field, joined[field]]);
  return Object.fromEntries(kept.filter(([, value]) => !isEmpty(value)));
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

function joinEnvironment(container: readonly string[], request: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.split('=')[0] ?? entry;
  const replaced = new Set(request.map(nameOf));
  return [...request, ...container.filter((entry) => !replaced.has(nameOf(entry)))];
}
