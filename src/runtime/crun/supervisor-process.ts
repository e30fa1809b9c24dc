import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { errnoOf, unavailable, type Logger } from '#kernel';
import { connectTo } from './control-connection.ts';

export interface SupervisorLaunch {
  /** Folder on tmpfs for everything of this instance that lives as long as the host runs. */
  readonly runFolder: string;
  /** Program file of crun or runc. */
  readonly binary: string;
  /** The OCI runtime's `--root`. */
  readonly ociRoot: string;
  /** Node, and its arguments up to the supervisor's script. */
  readonly node: string;
  readonly nodeArguments?: readonly string[];
  readonly script: string;
  readonly logger: Logger;
}

const START_MS = 10_000;

export const socketPath = (launch: SupervisorLaunch): string => join(launch.runFolder, 'supervisor.sock');

/** The supervisor's command line behind the program. */
export const supervisorArguments = (launch: SupervisorLaunch): string[] => [
  ...(launch.nodeArguments ?? []),
  launch.script,
  `--run-folder=${launch.runFolder}`,
  `--socket=${socketPath(launch)}`,
  `--oci-runtime=${launch.binary}`,
  `--oci-root=${launch.ociRoot}`,
];

/** Connects to the supervisor; starts one, in a session of its own, when none answers. Throws unavailable. */
export async function reachSupervisor(launch: SupervisorLaunch): Promise<Socket> {
  const deadline = Date.now() + START_MS;
  let started: ReturnType<typeof launchSupervisor> | undefined;
  for (;;) {
    try {
      return await connectTo(socketPath(launch));
    } catch (error) {
      const code = errnoOf(error);
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error;
    }
    // One that ended at once found another serving, or left its reason in its log.
    if (!started || started.ended()) started = launchSupervisor(launch);
    if (Date.now() > deadline) {
      throw unavailable(`the supervisor does not answer: ${lastLogLine(launch) ?? 'its log is empty'}`);
    }
    await delay(5);
  }
}

function launchSupervisor(launch: SupervisorLaunch): { ended(): boolean } {
  mkdirSync(launch.runFolder, { recursive: true, mode: 0o700 });
  const log = openSync(logPath(launch), 'a', 0o600);
  try {
    const child = spawn(launch.node, supervisorArguments(launch), {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    let ended = false;
    child.once('exit', () => (ended = true));
    child.once('error', () => (ended = true));
    child.unref();
    launch.logger.info({ pid: child.pid }, 'supervisor started');
    return { ended: () => ended };
  } finally {
    closeSync(log);
  }
}

const logPath = (launch: SupervisorLaunch): string => join(launch.runFolder, 'supervisor.log');

function lastLogLine(launch: SupervisorLaunch): string | undefined {
  return readFileSync(logPath(launch), 'utf8').trimEnd().split('\n').at(-1);
}
