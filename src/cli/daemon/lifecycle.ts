import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { errnoOf } from '#kernel';
import type { Output } from '../output.ts';

/** Where the machine's own engine keeps its things. */
export interface DaemonPlaces {
  readonly socket: string;
  readonly pidFile: string;
  readonly logFile: string;
}

export const defaultPlaces: DaemonPlaces = {
  socket: '/run/wharf/wharf.sock',
  pidFile: '/run/wharf/wharfd.pid',
  logFile: '/var/log/wharf/wharfd.log',
};

/** How long a start may take, in milliseconds. */
const patience = 10_000;

/** Starts the engine because a command found none, and says so. */
export async function startForClient(err: Output): Promise<void> {
  const { pid } = await startDaemon([], defaultPlaces);
  err.write(
    `wharf: started the engine wharfd (pid ${pid}); its log is ${defaultPlaces.logFile}; stop it with: wharf daemon stop\n`,
  );
}

/** Starts the engine in a session of its own and waits until it answers. Throws with the end of its log. */
export async function startDaemon(args: readonly string[], places: DaemonPlaces): Promise<{ pid: number }> {
  mkdirSync(dirname(places.pidFile), { recursive: true });
  mkdirSync(dirname(places.logFile), { recursive: true });
  const command = findDaemon();
  const log = openSync(places.logFile, 'a', 0o640);
  const begin = fstatSync(log).size;
  const child = spawn(command[0], [...command.slice(1), ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  child.unref();
  const pid = await untilReady(child, places, begin);
  return { pid };
}

async function untilReady(child: ChildProcess, places: DaemonPlaces, logBegin: number): Promise<number> {
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit status ${code ?? 0}` : `signal ${signal}`),
    );
    child.once('error', (error) => resolve(error.message));
  });
  let end: string | undefined;
  void ended.then((text) => (end = text));
  const deadline = Date.now() + patience;
  const { pid } = child;
  if (pid !== undefined) writeFileSync(places.pidFile, `${pid}\n`);
  while (Date.now() < deadline) {
    if (await answers(places.socket)) return findPid(places) ?? pid ?? 0;
    if (end !== undefined) {
      // Another one may have won the race to be the engine.
      if (await answers(places.socket)) return findPid(places) ?? 0;
      rmSync(places.pidFile, { force: true });
      throw new Error(`the engine did not start: ${end}\n${logTail(places.logFile, logBegin)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `the engine (pid ${pid ?? 0}) does not answer on ${places.socket} after ${patience / 1000} s; its log is ${places.logFile}\n${logTail(places.logFile, logBegin)}`,
  );
}

/** Whether something accepts connections on the socket. */
export function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/** The pid of the engine, if its process is alive. */
export function findPid({ pidFile }: DaemonPlaces): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').trim());
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    if (errnoOf(error) === 'EPERM') return undefined;
    return undefined;
  }
}

/** Asks the engine to end and waits for it; containers run on. */
export async function stopDaemon(places: DaemonPlaces): Promise<number | undefined> {
  const pid = findPid(places);
  if (pid === undefined) return undefined;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + patience;
  while (findPid(places) === pid) {
    if (Date.now() > deadline)
      throw new Error(`the engine (pid ${pid}) has not ended after ${patience / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  rmSync(places.pidFile, { force: true });
  return pid;
}

/** The last lines of a log, at most 4 KiB of what was written since `from`. */
export function logTail(path: string, from = 0): string {
  if (!existsSync(path)) return '';
  const { size } = statSync(path);
  const start = Math.max(from, size - 4096);
  const buffer = Buffer.alloc(Math.max(0, size - start));
  const file = openSync(path, 'r');
  try {
    readSync(file, buffer, 0, buffer.length, start);
  } finally {
    closeSync(file);
  }
  return buffer.toString().trimEnd().split('\n').slice(-10).join('\n');
}

/** The command line of the engine that belongs to this program: its launcher, or the bundle with its Node. */
function findDaemon(): readonly [string, ...string[]] {
  const given = process.env['WHARF_DAEMON'];
  if (given) return [given];
  const here = dirname(process.execPath);
  const roots = [resolve(here, '..'), here, resolve(here, '../..'), resolve(here, '../../..')];
  for (const root of roots) {
    const launcher = join(root, 'wharfd');
    if (existsSync(launcher) && statSync(launcher).isFile()) return [launcher];
    const bundle = join(root, 'dist', 'wharfd.js');
    if (existsSync(bundle)) return [join(root, 'node_modules', '.bin', 'node'), bundle];
  }
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const launcher = join(folder, 'wharfd');
    if (folder !== '' && existsSync(launcher)) return [launcher];
  }
  throw new Error(
    'the engine wharfd was not found beside this program or on the PATH; set WHARF_DAEMON to its path',
  );
}
