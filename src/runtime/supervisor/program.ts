import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { becomeSubreaper, tryLockFile } from '#linux';
import { Server } from './server.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

export interface SupervisorProgram extends SupervisorOptions {
  readonly socketPath: string;
  /** Left by the program that this one replaced in place: a descriptor with its state. */
  readonly resumeFd: number | undefined;
  /** How this program was started, for the next one. */
  readonly program: string;
  readonly args: readonly string[];
  readonly exit: (code: number) => void;
}

/** The supervisor's whole life: take over what is there, serve, end when there is nothing to supervise. */
export async function runSupervisor(options: SupervisorProgram): Promise<void> {
  mkdirSync(options.runFolder, { recursive: true, mode: 0o700 });
  const lock = openSync(join(options.runFolder, 'supervisor.lock'), 'w');
  if (!tryLockFile(lock)) {
    options.logger.info({}, 'another supervisor serves this instance');
    options.exit(0);
    return;
  }
  becomeSubreaper();
  const supervisor = new Supervisor(options);
  supervisor.store.start();
  supervisor.children.start();
  const server = new Server(supervisor, {
    socketPath: options.socketPath,
    generation: 0,
    logger: options.logger,
    upgrade: () => Promise.resolve(),
    idle: () => {
      server.stop();
      supervisor.close();
      options.exit(0);
    },
  });
  await server.start();
}
