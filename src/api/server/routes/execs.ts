import { Readable, type Duplex } from 'node:stream';
import { parseExecConfig, parseExecStartConfig } from '#api/types';
import { invalidArgument, messageOf } from '#kernel';
import { created, done, ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { parseDetachKeys } from '../hijack/detach-keys.ts';
import { acceptRawStream, joinRawStream } from '../hijack/raw-stream.ts';
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
        checkEscapeKeys(config.DetachKeys ?? '');
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

/** Throws invalidArgument: the keys have another name here than where one attaches. */
function checkEscapeKeys(text: string): void {
  try {
    parseDetachKeys(text);
  } catch (error) {
    throw invalidArgument(`Invalid escape keys (${text}) provided`, error);
  }
}

/** What answers of this operation carry besides a hijacked connection's own headers. */
const engineHeaders = ['Api-Version', 'Docker-Experimental', 'Ostype', 'Server'];

async function start(
  containers: Backends['containers'],
  exchange: Exchange,
): Promise<typeof done | undefined> {
  const config = await exchange.body(parseExecStartConfig);
  const exec = containers.getExec(exchange.name);
  const options = {
    detach: config.Detach ?? false,
    tty: config.Tty ?? false,
    ...(config.ConsoleSize && { consoleSize: config.ConsoleSize }),
  };
  if (options.detach) {
    await containers.startExec(exec.id, options);
    return done;
  }
  const detachKeys = parseDetachKeys(exec.detachKeys ?? '');
  const raw = {
    tty: exec.tty,
    clientTty: options.tty,
    stdin: exec.attachStdin,
    detachKeys,
    detached: () => containers.detached(exec.containerId, exec.id),
  };
  let client: Duplex | undefined;
  const accept = async (): Promise<void> => {
    const headers = engineHeaders.map((name) => [name, String(exchange.response.getHeader(name))] as const);
    client = await acceptRawStream(exchange, raw, headers);
  };
  let streams: Duplex | undefined;
  try {
    streams = await containers.startExec(exec.id, { ...options, accept });
  } catch (error) {
    if (!client) throw error;
    // What the start failed with is output by now, and clients ask for the exit code.
    const text = Buffer.from(`${messageOf(error)}\r\n`);
    const prelude = Readable.from([options.tty ? text : frame('stdout', text)]);
    await joinRawStream(client, undefined, { ...raw, tty: options.tty, prelude });
    return undefined;
  }
  await joinRawStream(client ?? (await acceptRawStream(exchange, raw)), streams, raw);
  return undefined;
}
