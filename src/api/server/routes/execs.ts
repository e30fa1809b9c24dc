import { Readable, type Duplex } from 'node:stream';
import { parseExecConfig, parseExecStartConfig } from '#api/types';
import { invalidArgument, isKind, messageOf } from '#kernel';
import { created, done, ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { parseDetachKeys } from '../hijack/detach-keys.ts';
import { serveRawStream } from '../hijack/raw-stream.ts';
import { named, type Route } from '../route.ts';
import { viewExec } from '../views/exec.ts';
import { frame } from '../views/log-frames.ts';
import { consoleSize } from './containers.ts';

/** Further processes in containers. */
export function execRoutes({ containers }: Pick<Backends, 'containers'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: named('containers', '/exec'),
      operation: 'ContainerExec',
      handle: async (exchange) => {
        const config = await exchange.body(parseExecConfig);
        if ((config.Cmd ?? []).length === 0) throw invalidArgument('No exec command specified');
        return created({ Id: await containers.createExec(exchange.name, config) });
      },
    },
    {
      method: 'POST',
      path: named('exec', '/start'),
      operation: 'ExecStart',
      hijacks: true,
      handle: async (exchange) => start(containers, exchange),
    },
    {
      method: 'POST',
      path: named('exec', '/resize'),
      operation: 'ExecResize',
      handle: async (exchange) => {
        await containers.resizeExec(exchange.name, consoleSize(exchange));
        return done;
      },
    },
    {
      method: 'GET',
      path: named('exec', '/json'),
      operation: 'ExecInspect',
      handle: (exchange) => ok(viewExec(containers.getExec(exchange.name))),
    },
  ];
}

async function start(
  containers: Backends['containers'],
  exchange: Exchange,
): Promise<typeof done | undefined> {
  const config = await exchange.body(parseExecStartConfig);
  const exec = containers.getExec(exchange.name);
  const detachKeys = parseDetachKeys(exec.detachKeys ?? '');
  const options = {
    detach: config.Detach ?? false,
    tty: config.Tty ?? false,
    ...(config.ConsoleSize && { consoleSize: config.ConsoleSize }),
  };
  const raw = { tty: exec.tty, stdin: exec.attachStdin, detachKeys };
  let streams: Duplex | undefined;
  try {
    streams = await containers.startExec(exec.id, options);
  } catch (error) {
    if (options.detach || isKind(error, 'notFound') || isKind(error, 'conflict')) throw error;
    // What the program's start failed with is output, and clients ask for its exit code.
    const text = Buffer.from(`${messageOf(error)}\r\n`);
    const prelude = Readable.from([exec.tty ? text : frame('stdout', text)]);
    await serveRawStream(exchange, undefined, { ...raw, prelude });
    return undefined;
  }
  if (!streams) return done;
  await serveRawStream(exchange, streams, raw);
  return undefined;
}
