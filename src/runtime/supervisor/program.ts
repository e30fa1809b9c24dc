import { mkdirSync } from 'node:fs';
import { becomeSubreaper } from '#linux';
import { readHandover, replaceProgram, resumeTasks } from './handover.ts';
import { KeptListeners } from './kept-listeners.ts';
import { takeLock } from './lock.ts';
import { recoverTasks } from './recovery.ts';
import { Server } from './server.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

export interface SupervisorProgram extends SupervisorOptions {
  readonly socketPath: string;
  /** Left by the program that this one replaced in place: a descriptor with its state. */
  readonly resumeFd: number | undefined;
  readonly exit: (code: number) => void;
}

/** The supervisor's whole life: take over what is there, serve, end when there is nothing to supervise. */
export async function runSupervisor(options: SupervisorProgram): Promise<void> {
  const { logger } = options;
  mkdirSync(options.runFolder, { recursive: true, mode: 0o700 });
  const handover = options.resumeFd === undefined ? undefined : readHandover(options.resumeFd);
  const lock = handover?.lock ?? (await takeLock(options.runFolder));
  if (lock === undefined) {
    logger.info({}, 'another supervisor serves this instance');
    options.exit(0);
    return;
  }
  becomeSubreaper();
  const generation = handover?.generation ?? 0;
  const supervisor = new Supervisor(options);
  supervisor.store.start();
  const listeners = new KeptListeners(logger);
  listeners.restore(handover?.listeners ?? []);
  if (handover) resumeTasks(supervisor, handover);
  else recoverTasks(supervisor);
  supervisor.children.start();
  logger.info({ pid: process.pid, generation, tasks: supervisor.tasks.size }, 'supervisor ready');
  const server = new Server(supervisor, {
    socketPath: options.socketPath,
    generation,
    logger,
    listeners,
    upgrade: (program, args, busy) => {
      logger.info({ program, generation: generation + 1 }, 'supervisor is replaced');
      const { env } = options;
      const kept = listeners.save();
      const next = { program, args, env, lock, generation: generation + 1, listeners: kept };
      return replaceProgram(supervisor, next, busy);
    },
    idle: () => {
      server.stop();
      listeners.close();
      supervisor.close();
      options.exit(0);
    },
  });
  await server.start();
}
