import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname } from 'node:path';
import { errnoOf } from '#kernel';
import type { Output } from '../output.ts';
import { logTail } from './log-tail.ts';
import { isEnabled, systemctl } from './systemd.ts';
import { daemonUnit } from './units.ts';

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

export interface StartOptions extends DaemonPlaces {
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly args: readonly string[];
  /** How long a start may take, in milliseconds. */
  readonly patience?: number;
}

/** Milliseconds for a start or a stop. */
const usualPatience = 10_000;

/** Starts the engine because a command found none, and says so. */
export async function startForClient(err: Output, command: readonly [string, ...string[]]): Promise<void> {
  if (isEnabled()) {
    systemctl('start', daemonUnit);
    err.write(`wharf: started the engine ${daemonUnit}; stop it with: wharf daemon stop\n`);
    return;
  }
  const pid = await startDaemon({ ...defaultPlaces, command, args: [] });
  const { logFile } = defaultPlaces;
  err.write(
    `wharf: started the engine wharfd (pid ${pid}); log: ${logFile}; stop it with: wharf daemon stop\n`,
  );
}

/**
 * Starts the engine in a session of its own and waits until it answers; returns its pid. When another start was
 * faster, that one's. Throws with the end of its log if it does not come up.
 */
export async function startDaemon(options: StartOptions): Promise<number> {
  mkdirSync(dirname(options.pidFile), { recursive: true });
  mkdirSync(dirname(options.logFile), { recursive: true });
  const [program, ...first] = options.command;
  const pidFile = options.args.some((arg) => /^(--pidfile|-p)(=|$)/.test(arg))
    ? []
    : ['--pidfile', options.pidFile];
  const log = openSync(options.logFile, 'a', 0o640);
  const begin = fstatSync(log).size;
  const child = spawn(program, [...first, ...pidFile, ...options.args], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  child.unref();
  return await untilReady(child, options, begin);
}

async function untilReady(child: ChildProcess, options: StartOptions, logBegin: number): Promise<number> {
  const { socket, logFile, patience = usualPatience } = options;
  const state: { end?: string } = {};
  child.once(
    'exit',
    (code, signal) => (state.end = signal === null ? `exit status ${code ?? 0}` : `signal ${signal}`),
  );
  child.once('error', (error) => (state.end = error.message));
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    if (await answers(socket)) return findPid(options) ?? child.pid ?? 0;
    if (state.end !== undefined) {
      // Another one may have won the race to be the engine.
      if (await answers(socket)) return findPid(options) ?? 0;
      throw new Error(`the engine did not start: ${state.end}\n${logTail(logFile, logBegin)}`);
    }
    await pause();
  }
  throw new Error(
    `the engine (pid ${child.pid ?? 0}) does not answer on ${socket} after ${patience / 1000} s; its log is ${logFile}\n${logTail(logFile, logBegin)}`,
  );
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** Whether an engine serves the socket. One that is starting again is waited for; so is the word that there is none. */
export function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ socketPath: socket, path: '/_ping', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.setTimeout(usualPatience, () => probe.destroy());
    probe.once('error', () => resolve(false)).end();
  });
}

/** The pid of the engine, if its process is alive. */
export function findPid({ pidFile }: Pick<DaemonPlaces, 'pidFile'>): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8').trim());
  } catch {
    return undefined;
  }
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** Asks the engine to end and waits for it; returns its pid, or undefined if there is none. Containers run on. */
export async function stopDaemon(
  places: DaemonPlaces,
  patience = usualPatience,
): Promise<number | undefined> {
  const pid = findPid(places);
  if (pid === undefined) {
    if (!(await answers(places.socket))) return undefined;
    throw new Error(
      `an engine answers on ${places.socket}, but ${places.pidFile} does not name it: stop it where it was started`,
    );
  }
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + patience;
  while (isAlive(pid)) {
    if (Date.now() > deadline)
      throw new Error(`the engine (pid ${pid}) has not ended after ${patience / 1000} s`);
    await pause();
  }
  return pid;
}
