import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { errnoOf, messageOf, unavailable, type Logger } from '#kernel';
import { tryLockFile } from '#linux';
import { lockPath } from '../supervisor/lock.ts';
import { connectTo } from './control-connection.ts';

export interface SupervisorLaunch {
  /** Folder on tmpfs for everything of this instance that lives as long as the host runs. */
  readonly runFolder: string;
  /** Program file of crun or runc. */
  readonly binary: string;
  /** The OCI runtime's `--root`. */
  readonly ociRoot: string;
  readonly node: string;
  /** Node's own arguments, instead of those that suit the supervisor. */
  readonly nodeArguments?: readonly string[];
  readonly script: string;
  /** The unit of systemd that runs it, where it is not to be a child of whoever needs it first. */
  readonly unit?: string;
  readonly logger: Logger;
}

/** Generous: on an emulated or overloaded machine a start of Node alone takes many seconds. */
const START_MS = 60_000;
/** What connecting says when there is no supervisor, one is being replaced just then, or it has a long queue. */
const absent = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN']);

export const socketPath = (launch: SupervisorLaunch): string => join(launch.runFolder, 'supervisor.sock');

/** Smaller than Node's own choice: the supervisor's garbage is short-lived, and its size when idle counts. */
const nodeDefaults = ['--max-semi-space-size=8'];

/** The supervisor's command line behind the program. */
export const supervisorArguments = (launch: SupervisorLaunch): string[] => [
  ...(launch.nodeArguments ?? nodeDefaults),
  launch.script,
  `--run-folder=${launch.runFolder}`,
  `--socket=${socketPath(launch)}`,
  `--oci-runtime=${launch.binary}`,
  `--oci-root=${launch.ociRoot}`,
];

/** Connects to the supervisor; starts one, in a session of its own, when none answers. Throws unavailable. */
export async function reachSupervisor(launch: SupervisorLaunch): Promise<Socket> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      return await connectTo(socketPath(launch));
    } catch (error) {
      if (!absent.has(errnoOf(error) ?? '')) throw error;
    }
    if (claim(launch)) await launchSupervisor(launch);
    if (Date.now() > deadline) {
      throw unavailable(`the supervisor does not answer: ${lastLogLine(launch) ?? 'its log is empty'}`);
    }
    await delay(5);
  }
}

/** False while a supervisor lives, be it one that is still starting or being replaced. Otherwise clears its socket away. */
function claim(launch: SupervisorLaunch): boolean {
  mkdirSync(launch.runFolder, { recursive: true, mode: 0o700 });
  const lock = openSync(lockPath(launch.runFolder), 'a', 0o600);
  try {
    if (!tryLockFile(lock)) return false;
    rmSync(socketPath(launch), { force: true });
    return true;
  } finally {
    closeSync(lock);
  }
}

/** Resolves when it has made its socket, or has ended. */
async function launchSupervisor(launch: SupervisorLaunch): Promise<void> {
  if (launch.unit !== undefined && (await startUnit(launch, launch.unit))) return;
  const log = openSync(logPath(launch), 'a', 0o600);
  const ended = new AbortController();
  try {
    const child = spawn(launch.node, supervisorArguments(launch), {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.once('exit', () => ended.abort());
    child.once('error', () => ended.abort());
    child.unref();
    launch.logger.info({ pid: child.pid }, 'supervisor started');
  } finally {
    closeSync(log);
  }
  const deadline = Date.now() + START_MS;
  // Until it has its lock, nobody may try the lock: so only its socket is looked for.
  while (!ended.signal.aborted && Date.now() < deadline && !existsSync(socketPath(launch))) await delay(5);
}

/** False when systemd cannot: then it is started here as elsewhere. */
async function startUnit(launch: SupervisorLaunch, unit: string): Promise<boolean> {
  try {
    await promisify(execFile)('systemctl', ['start', unit], { timeout: START_MS });
    launch.logger.info({ unit }, 'supervisor started');
    return true;
  } catch (error) {
    launch.logger.warn({ unit, error: messageOf(error) }, 'systemd did not start the supervisor');
    return false;
  }
}

const logPath = (launch: SupervisorLaunch): string => join(launch.runFolder, 'supervisor.log');

function lastLogLine(launch: SupervisorLaunch): string | undefined {
  if (!existsSync(logPath(launch))) return undefined;
  return readFileSync(logPath(launch), 'utf8').trimEnd().split('\n').at(-1);
}
