import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, eventually, projectRoot, startDaemon, succeed } from '../test/setup/index.ts';

/** An engine under measurement with the command line that its users would type. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly socket: string;
  /** Program of the command line and what reaches the engine with it. */
  readonly cli: string;
  readonly env: Readonly<Record<string, string>>;
  /** Sum of the proportional set sizes of the engine's own processes, in bytes. */
  memory(): Promise<number>;
  /** Runs a program where the engine's loopback is. */
  near(program: string, args: readonly string[]): readonly [string, readonly string[]];
}

/** Runs the peer's command line; rejects on a failure. */
export const cli = (peer: Peer, args: readonly string[], input?: string): Promise<string> =>
  succeed(peer.cli, args, { env: peer.env, timeout: 300_000, ...(input !== undefined && { input }) });

async function memoryOf(isOwn: (commandLine: string) => boolean): Promise<number> {
  let kilobytes = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (!isOwn(line)) continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Ours: a daemon of its own, driven by the compiled command line. */
export async function startWharf(): Promise<Peer> {
  const daemon = await startDaemon();
  return {
    name: 'wharf',
    socket: daemon.socket,
    cli: join(projectRoot, 'dist/wharf'),
    env: daemon.env,
    memory: () => memoryOf((line) => line.includes(daemon.folder) && /wharfd\.js|supervisor\.js/.test(line)),
    near: (program, args) => [program, args],
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** The reference engine, driven by its own command line. */
export async function startReference(): Promise<Peer> {
  const script = join(projectRoot, 'tools/reference-engine.sh');
  const exports = await succeed('sh', [script, 'start'], { timeout: 600_000 });
  const value = (name: string): string => new RegExp(`${name}=([^ \\n]+)`).exec(exports)?.[1] ?? '';
  const socket = value('DOCKER_HOST').replace('unix://', '');
  const folder = socket.replace(/\/[^/]*$/, '');
  const env = { DOCKER_HOST: value('DOCKER_HOST'), DOCKER_CONFIG: value('DOCKER_CONFIG') };
  const program = `${value('PATH').replace(':$PATH', '')}/docker`;
  await eventually(async () => (await command(program, ['version'], { env })).code === 0, {
    timeout: 30_000,
  });
  const peer: Peer = {
    name: 'reference',
    socket,
    cli: program,
    env,
    memory: () =>
      memoryOf(
        (line) => line.includes(folder) && /dockerd|containerd|containerd-shim|docker-proxy/.test(line),
      ),
    near: (near, args) => ['sh', [script, 'run', near, ...args]],
    async [Symbol.asyncDispose]() {
      const ids = (await cli(peer, ['ps', '-aq'])).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await cli(peer, ['rm', '-f', ...ids]);
      await succeed('sh', [script, 'stop'], { timeout: 60_000 });
    },
  };
  return peer;
}
