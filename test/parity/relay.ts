import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const inside = (path: string, port: string): string => `
  const { connect, createServer } = require('node:net');
  createServer((client) => {
    const server = connect(${JSON.stringify(path)});
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  }).listen(${port}, '127.0.0.1', () => console.log('ready'));
`;

/** Makes an address of this host's loopback answer on the loopback of a network namespace, too. */
export async function relayInto(namespace: string | undefined, address: string): Promise<AsyncDisposable> {
  if (namespace === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'wharf-relay-'));
  const path = join(folder, 'socket');
  const [host = '', port = ''] = address.split(':');
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  }).listen(path);
  const enter = ['--pdeathsig', 'KILL', 'nsenter', `--net=/run/netns/${namespace}`];
  const program = spawn('setpriv', [...enter, process.execPath, '-e', inside(path, port)]);
  await once(program.stdout, 'data');
  return {
    [Symbol.asyncDispose]: async () => {
      program.kill('SIGKILL');
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
