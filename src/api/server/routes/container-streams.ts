import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ContainerWaitResponse } from '#api/types';
import type { Containers, LogsOptions, PathStat, WaitCondition } from '#containers';
import { invalidArgument } from '#kernel';
import { done, encodeJson, ok, type Answer } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { parseDetachKeys } from '../hijack/detach-keys.ts';
import {
  drained,
  refuseRawStream,
  serveRawStream,
  serveWebSocket,
  type RawStreamOptions,
} from '../hijack/raw-stream.ts';
import { named, type Route } from '../route.ts';
import { streamContentType } from '../versions/index.ts';
import { logFrames } from '../views/log-frames.ts';
import type { Query } from '../query.ts';

const path = (verb: string): string => named('containers', `/${verb}`);

/** What answers with a stream, or long after it was asked. */
export function containerStreamRoutes({ containers }: Pick<Backends, 'containers'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: path('wait'),
      operation: 'ContainerWait',
      handle: async (e) => wait(containers, e),
    },
    {
      method: 'GET',
      path: path('logs'),
      operation: 'ContainerLogs',
      handle: async (e) => logs(containers, e),
    },
    {
      // Not in Docker's API.
      method: 'DELETE',
      path: path('logs'),
      operation: 'ContainerLogsClear',
      handle: async (e) => {
        await containers.clearLogs(e.name);
        return done;
      },
    },
    {
      method: 'POST',
      path: path('attach'),
      operation: 'ContainerAttach',
      hijacks: true,
      handle: async (e) => attach(containers, e, serveRawStream, refuseRawStream),
    },
    {
      method: 'GET',
      path: path('attach/ws'),
      operation: 'ContainerAttachWebsocket',
      hijacks: true,
      handle: async (e) => attach(containers, e, serveWebSocket),
    },
    {
      method: 'GET',
      path: path('top'),
      operation: 'ContainerTop',
      handle: async (e) => ok(await containers.top(e.name, e.query.text('ps_args'))),
    },
    {
      method: 'GET',
      path: path('changes'),
      operation: 'ContainerChanges',
      handle: async (e) => {
        const changes = await containers.changes(e.name);
        return ok(changes.length > 0 ? changes : null);
      },
    },
    {
      method: 'GET',
      path: path('export'),
      operation: 'ContainerExport',
      handle: async (e) => {
        const files = await containers.exportFiles(e.name, { signal: e.signal });
        await pipeline(files, e.startStream('application/octet-stream'));
        return undefined;
      },
    },
    ...archiveRoutes(containers),
  ];
}

/** Headers at once, since clients start the container only when they have them; the body once it has ended. */
async function wait(containers: Containers, exchange: Exchange): Promise<undefined> {
  const condition = waitCondition(exchange.query.text('condition'));
  const { result } = containers.wait(exchange.name, condition, { signal: exchange.signal });
  const response = exchange.startStream('application/json');
  try {
    const { statusCode, error } = await result;
    const answer: ContainerWaitResponse = {
      StatusCode: statusCode,
      ...(error !== undefined && { Error: { Message: error } }),
    };
    response.end(encodeJson(answer));
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  }
  return undefined;
}

function waitCondition(text: string): WaitCondition {
  switch (text) {
    case '':
    case 'not-running':
      return 'not-running';
    case 'next-exit':
    case 'removed':
      return text;
    default:
      throw invalidArgument(`invalid condition: ${JSON.stringify(text)}`);
  }
}

async function logs(containers: Containers, exchange: Exchange): Promise<undefined> {
  const { query } = exchange;
  const stdout = query.boolean('stdout');
  const stderr = query.boolean('stderr');
  if (!stdout && !stderr) throw invalidArgument('Bad parameters: you must choose at least one stream');
  const record = containers.get(exchange.name);
  const tty = record.config.Tty ?? false;
  const options = logsOptions(query, { stdout, stderr, signal: exchange.signal });
  const frames = logFrames(containers.logs(record.id, options), {
    tty,
    timestamps: query.boolean('timestamps'),
    details: query.boolean('details'),
  });
  const iterator = frames[Symbol.asyncIterator]();
  // The first record is asked for before the status is sent, so that a driver that cannot be read is an error.
  const first = options.follow ? undefined : await iterator.next();
  const response = exchange.startStream(streamContentType(exchange.version, tty));
  try {
    for (let next = first ?? (await iterator.next()); !next.done; next = await iterator.next()) {
      if (!response.write(next.value)) await drained(response);
    }
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  }
  response.end();
  return undefined;
}

function logsOptions(
  query: Query,
  base: { stdout: boolean; stderr: boolean; signal: AbortSignal },
): LogsOptions {
  const since = query.time('since');
  const until = query.time('until');
  // Anything that is no number, `all` above all, is everything.
  const tail = /^\d+$/.test(query.text('tail')) ? Number(query.text('tail')) : undefined;
  return {
    ...base,
    follow: query.boolean('follow'),
    ...(since !== undefined && since > 0n && { since }),
    ...(until !== undefined && until > 0n && { until }),
    ...(tail !== undefined && { tail }),
  };
}

/** `refuse` tells why there is nothing to attach to; without it that is an answer like any other. */
async function attach(
  containers: Containers,
  exchange: Exchange,
  serve: typeof serveRawStream,
  refuse?: typeof refuseRawStream,
): Promise<undefined> {
  let attachment: Awaited<ReturnType<typeof openAttachment>>;
  try {
    attachment = await openAttachment(containers, exchange);
  } catch (error) {
    if (!refuse) throw error;
    await refuse(exchange, error);
    return undefined;
  }
  await serve(exchange, attachment.streams, attachment.options);
  return undefined;
}

async function openAttachment(
  containers: Containers,
  exchange: Exchange,
): Promise<{ streams: Duplex | undefined; options: RawStreamOptions }> {
  const { query, name } = exchange;
  const detachKeys = parseDetachKeys(query.text('detachKeys'));
  const record = containers.get(name);
  const tty = record.config.Tty ?? false;
  const stdout = query.boolean('stdout');
  const stderr = query.boolean('stderr');
  const stdin = query.boolean('stdin') && (record.config.OpenStdin ?? false);
  const streams = query.boolean('stream')
    ? await containers.attach(name, { stdin, stdout, stderr })
    : undefined;
  if (!streams) containers.attached(name);
  const replay = query.boolean('logs') && (stdout || stderr);
  const prelude = (): AsyncIterable<Uint8Array> =>
    logFrames(containers.logs(record.id, { stdout, stderr, follow: false, signal: exchange.signal }), {
      tty,
      timestamps: false,
      details: false,
    });
  return {
    streams,
    options: {
      tty,
      stdin,
      detachKeys,
      detached: () => containers.detached(record.id),
      ...(replay && { prelude: prelude() }),
    },
  };
}

function archiveRoutes(containers: Containers): readonly Route[] {
  const where = (exchange: Exchange): string => {
    const text = exchange.query.text('path');
    if (text === '') throw invalidArgument('bad parameter: pathcannot be empty');
    return text;
  };
  return [
    {
      method: 'HEAD',
      path: path('archive'),
      operation: 'ContainerArchiveInfo',
      handle: async (e): Promise<Answer> => ({
        status: 200,
        headers: { [statHeader]: encodeStat(await containers.statPath(e.name, where(e))) },
      }),
    },
    {
      method: 'GET',
      path: path('archive'),
      operation: 'ContainerArchive',
      handle: async (e) => {
        const { stat, stream } = await containers.readArchive(e.name, where(e), { signal: e.signal });
        e.response.setHeader(statHeader, encodeStat(stat));
        await pipeline(stream, e.startStream('application/x-tar'));
        return undefined;
      },
    },
    {
      method: 'PUT',
      path: path('archive'),
      operation: 'PutContainerArchive',
      handle: async (e) => {
        await containers.writeArchive(e.name, where(e), e.request, {
          noOverwriteDirNonDir: e.query.boolean('noOverwriteDirNonDir'),
          copyUIDGID: e.query.boolean('copyUIDGID'),
          signal: e.signal,
        });
        return done;
      },
    },
  ];
}

const statHeader = 'X-Docker-Container-Path-Stat';

const encodeStat = (stat: PathStat): string =>
  Buffer.from(
    JSON.stringify({
      name: stat.name,
      size: stat.size,
      mode: stat.mode,
      mtime: stat.mtime,
      linkTarget: stat.linkTarget,
    }),
  ).toString('base64');
