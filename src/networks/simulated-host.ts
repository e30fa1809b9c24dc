import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newId, systemClock, type Logger } from '#kernel';
import {
  bind,
  changeLink,
  check,
  createNetns,
  findLink,
  NetlinkSocket,
  openListener,
  openNetns,
  openStreamSocket,
  removeNetns,
  runInNetns,
  writeSysctl,
} from '#linux';
import { Database } from '#metadata';
import type { SandboxSpec } from './networks.ts';
import type { NetworksOptions } from './networks-options.ts';

const unshare = bind<(flags: number) => number>('int unshare(int flags)');
const execute = promisify(execFile);
const CLONE_NEWNET = 0x40000000;

/** Address of the simulated host's eth0, and of the machine outside that is its gateway. */
export const hostAddress = '192.0.2.2';
export const outsideAddress = '192.0.2.1';

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/**
 * For tests: moves this process into a network namespace of its own that looks like a host, with eth0 (MTU 1400), a
 * default route and a machine outside, so that nothing touches the real host. Needs root. Once per process.
 */
export class SimulatedHost implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'wharf-networks-'));
  readonly outside = join(this.folder, 'outside');
  readonly logged: { level: string; phrase: string; fields: object }[] = [];
  readonly published: string[] = [];

  constructor() {
    check(unshare(CLONE_NEWNET), 'unshare');
    createNetns(this.outside);
    // A new namespace inherits what the real host does.
    writeSysctl('net/ipv4/ip_forward', '0');
    writeSysctl('net/ipv6/conf/all/forwarding', '0');
    run('ip', 'link', 'set', 'lo', 'up');
    this.attach(this.outside, 'eth0', `${hostAddress}/24`, `${outsideAddress}/24`);
    run('ip', 'route', 'add', 'default', 'via', outsideAddress);
  }

  /** Connects a namespace to the host by a link of that name, `host0` over there; addresses in CIDR notation. */
  attach(path: string, name: string, ours: string, theirs: string): void {
    run('ip', 'link', 'add', name, 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'host0');
    using socket = new NetlinkSocket('route');
    const link = findLink(socket, 'host0');
    assert.ok(link);
    const netnsFd = openNetns(path);
    changeLink(socket, link.index, { netnsFd });
    closeSync(netnsFd);
    run('ip', 'addr', 'add', ours, 'dev', name);
    run('ip', 'link', 'set', name, 'up');
    const inside = (...args: string[]): string => run('nsenter', `--net=${path}`, 'ip', ...args);
    inside('addr', 'add', theirs, 'dev', 'host0');
    inside('link', 'set', 'host0', 'up');
    inside('link', 'set', 'lo', 'up');
  }

  /** Options of an instance on this host; the database stays open across restarts of Networks. */
  options(overrides: Partial<NetworksOptions> = {}): NetworksOptions {
    const log =
      (level: string) =>
      (fields: object, phrase: string): void =>
        void this.logged.push({ level, phrase, fields });
    const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
    return {
      db: new Database(':memory:'),
      instance: 'test',
      runFolder: join(this.folder, 'run'),
      clock: systemClock,
      logger,
      events: { publish: (type, action, id) => void this.published.push(`${type} ${action} ${id}`) },
      ...overrides,
    };
  }

  /** Names of the links, for leak checks. */
  links(): string[] {
    return run('ip', '-o', 'link')
      .split('\n')
      .flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);
  }

  ruleset(): string {
    return run('nft', 'list', 'ruleset');
  }

  [Symbol.dispose](): void {
    removeNetns(this.outside);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a container asks for on a network, with everything else left out. */
export function sandboxSpec(
  name: string,
  networks: readonly string[],
  more: Partial<SandboxSpec> = {},
): SandboxSpec {
  const containerId = more.containerId ?? newId();
  return {
    containerId,
    containerName: name,
    hostname: containerId.slice(0, 12),
    endpoints: networks.map((network) => ({ network, spec: {} })),
    ports: [],
    ...more,
  };
}

/** Runs a synchronous body in the namespace at `path`; undefined: the host's. */
function within<T>(path: string | undefined, body: () => T extends PromiseLike<unknown> ? never : T): T {
  if (path === undefined) return body();
  const fd = openNetns(path);
  try {
    return runInNetns(fd, body);
  } finally {
    closeSync(fd);
  }
}

/** A server in a namespace: tells each TCP client, or UDP datagram, who it is and whom it sees. */
export async function serve(
  path: string,
  protocol: 'tcp' | 'udp',
  port: number,
  name: string,
  address = '0.0.0.0',
): Promise<AsyncDisposable> {
  const { fd } = within(path, () => openListener(protocol, address, port));
  if (protocol === 'tcp') {
    const server = createServer((client) => {
      client.on('error', () => undefined);
      client.end(`${name} ${client.remoteAddress ?? ''}`);
    });
    await new Promise<void>((resolve) => server.listen({ fd }, resolve));
    return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  }
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (data, from) =>
    socket.send(`${name} ${from.address} ${data.toString()}`, from.port, from.address),
  );
  await new Promise<void>((resolve) => socket.bind({ fd }, resolve));
  return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
}

/** A connection that is made in a namespace (undefined: the host). */
export function connectStream(path: string | undefined, address: string, port: number): Socket {
  const family = address.includes(':') ? 6 : 4;
  const socket = new Socket({ fd: within(path, () => openStreamSocket(family)) });
  return socket.connect({ host: address, port });
}

/** Connects from a namespace (undefined: the host) and returns what the server says; rejects on refusal or after `patience` ms. */
export async function ask(
  path: string | undefined,
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
  patience = 2000,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error('timeout')), patience);
  const family = address.includes(':') ? 6 : 4;
  try {
    if (protocol === 'tcp') {
      const socket = connectStream(path, address, port);
      let text = '';
      socket.on('data', (data: Buffer) => (text += data.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
      return await promise.finally(() => socket.destroy());
    }
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const { fd } = within(path, () => openListener('udp', family === 6 ? '::' : '0.0.0.0', 0));
    socket.bind({ fd });
    socket.on('message', (data) => resolve(data.toString()));
    socket.on('error', reject);
    socket.send('ping', port, address);
    return await promise.finally(() => socket.close());
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program in a namespace and returns its standard output; this process goes on serving meanwhile. */
export async function runIn(path: string, program: string, ...args: string[]): Promise<string> {
  return (await execute('nsenter', [`--net=${path}`, program, ...args])).stdout;
}

/** Waits until the condition holds; fails with its last state after five seconds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Open descriptors of this process. */
export const openFiles = (): number => readdirSync('/proc/self/fd').length;
