import type { BuildKit } from '#build';
import { invalidArgument } from '#kernel';
import type { Exchange } from '../exchange.ts';
import { viewFailure } from '../views/progress.ts';
import { listOf, mapOf, parsed } from './build-query.ts';

/** Value of `remote` for a context that comes over the session. */
const overSession = 'client-session';
/** Value of `remote` for a context that comes with another request, whose `buildid` has this before that of the build. */
const uploaded = 'upload-request';

/**
 * A build of BuildKit's clients before they spoke its protocol: `POST /build` with `version=2`. What is done is told in
 * BuildKit's own messages, in base64.
 */
export async function runPostedBuild(buildKit: BuildKit, exchange: Exchange): Promise<void> {
  const { query, request, signal } = exchange;
  if (query.boolean('squash')) {
    throw invalidArgument('squash is only supported with the legacy builder: set DOCKER_BUILDKIT=0');
  }
  const id = query.text('buildid');
  if (id.startsWith(`${uploaded}:`)) {
    await buildKit.upload(id.slice(uploaded.length + 1), request, signal);
    exchange.startStream('application/json').end();
    return;
  }
  const options = optionsOf(exchange);
  const output = outputOf(exchange);
  const remote = query.text('remote');
  const isQuiet = query.boolean('q');
  const write = (message: object): void => {
    if (!exchange.response.headersSent) exchange.startStream('application/json');
    exchange.response.write(`${JSON.stringify(message)}\r\n`);
  };
  try {
    const response = await buildKit.build({
      ...{ id, session: query.text('session'), options, output, signal },
      archive: archiveOf(remote, request),
      onStatus: (status) => {
        if (!isQuiet) write({ id: 'moby.buildkit.trace', aux: Buffer.from(status).toString('base64') });
      },
    });
    const image = response['containerimage.config.digest'];
    if (image !== undefined && isQuiet) write({ stream: `${image}\n` });
    else if (image !== undefined) write({ id: 'moby.image.id', aux: { ID: image } });
    if (!exchange.response.headersSent) exchange.startStream('application/json');
  } catch (error) {
    if (!exchange.response.headersSent) throw error;
    write(viewFailure(error));
  }
  exchange.response.end();
}

const archiveOf = (
  remote: string,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> | 'upload' | undefined =>
  remote === '' ? body : remote === uploaded ? 'upload' : undefined;

/** `POST /build/cancel`. A build that is not known has ended already. */
export function cancelPostedBuild(buildKit: BuildKit, { query }: Exchange): void {
  const id = query.text('id');
  if (id === '') throw invalidArgument('build ID not provided');
  buildKit.cancel(id);
}

/** The request in the words of BuildKit's Dockerfile frontend. */
function optionsOf(exchange: Exchange): Readonly<Record<string, string>> {
  const { query } = exchange;
  const remote = query.text('remote');
  const network = query.text('networkmode');
  if (!['', 'default', 'host', 'none'].includes(network)) {
    throw invalidArgument(`network mode ${JSON.stringify(network)} not supported by buildkit`);
  }
  const plain = {
    filename: query.text('dockerfile'),
    target: query.text('target'),
    platform: query.text('platform'),
    'image-resolve-mode': query.boolean('pull') ? 'pull' : 'default',
    'force-network-mode': network === 'default' ? '' : network,
    'add-hosts': query.all('extrahosts').join(','),
    'shm-size': query.text('shmsize'),
    'cgroup-parent': query.text('cgroupparent'),
    ulimit: ulimitsOf(query.text('ulimits')),
    'cache-from': listOf(query.text('cachefrom'), 'cachefrom').join(','),
    context: [overSession, uploaded].includes(remote) ? '' : remote,
  };
  return {
    ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== '' && value !== '0')),
    ...(query.boolean('nocache') && { 'no-cache': '' }),
    ...withPrefix('build-arg:', mapOf(exchange, 'buildargs')),
    ...withPrefix('label:', mapOf(exchange, 'labels')),
  };
}

const withPrefix = (prefix: string, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));

/** `[{"Name":"nofile","Soft":1,"Hard":2}]` as `nofile=1:2`. */
function ulimitsOf(text: string): string {
  const limits = text === '' ? [] : (parsed(text, 'ulimits') ?? []);
  if (!Array.isArray(limits)) throw invalidArgument(`invalid ulimits specified: ${text}`);
  return (limits as readonly { Name?: unknown; Soft?: unknown; Hard?: unknown }[])
    .map(({ Name, Soft, Hard }) => `${String(Name)}=${String(Soft)}:${String(Hard)}`)
    .join(',');
}

/** What is to come of the build: an image in the store unless `outputs` says something else. */
function outputOf({ query }: Exchange): { type: string; attrs: Readonly<Record<string, string>> } {
  const text = query.text('outputs');
  const given = text === '' ? [] : parsed(text, 'outputs');
  if (!Array.isArray(given)) throw invalidArgument(`invalid outputs specified: ${text}`);
  if (given.length > 1) throw invalidArgument('multiple outputs not supported');
  const [first = {}] = given as readonly { Type?: unknown; Attrs?: Readonly<Record<string, unknown>> }[];
  const type = typeof first.Type === 'string' ? first.Type : 'moby';
  const attrs = Object.entries(first.Attrs ?? {}).map(([name, value]) => [name, String(value)] as const);
  const names = query.all('t').filter((name) => name !== '');
  const name = names.length > 0 ? { name: names.join(',') } : {};
  return { type, attrs: { ...Object.fromEntries(attrs), ...name } };
}
