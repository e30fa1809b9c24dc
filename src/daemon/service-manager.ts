import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, type Logger } from '#kernel';
import { sendDatagram, setCloseOnExec } from '#linux';

const FIRST_PASSED = 3;

/** What the service manager that started this process has to know of it (sd_notify(3)). */
export interface ServiceManager {
  ready(): void;
  reloading(): void;
  stopping(): void;
}

/** The one that the environment names; without one nobody is told. */
export function serviceManager(
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): ServiceManager {
  const socket = env['NOTIFY_SOCKET'];
  const tell = (text: string): void => {
    if (!socket) return;
    try {
      sendDatagram(socket, text);
    } catch (error) {
      logger.warn({ socket, error: messageOf(error) }, 'the service manager cannot be told');
    }
  };
  return {
    ready: () => tell('READY=1\nSTATUS=serving the Engine API'),
    reloading: () => tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => tell('STOPPING=1'),
  };
}

/** The unit that runs the supervisor, where `wharf daemon enable` has made one. */
export const supervisorUnit = (env: NodeJS.ProcessEnv = process.env): { readonly unit?: string } => {
  const unit = env['WHARF_SUPERVISOR_UNIT'];
  return unit ? { unit } : {};
};

/** Whether the whole machine is about to stop: what runs must end in order now, or be killed. */
export async function isHostStopping(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  if (!env['NOTIFY_SOCKET']) return false;
  const answer = await promisify(execFile)('systemctl', ['is-system-running']).catch(
    // Any state but `running` has an exit code other than 0.
    (error: unknown) => error as { stdout?: string },
  );
  return answer.stdout?.trim() === 'stopping';
}

/** Sockets opened by a service manager (sd_listen_fds(3)), taken once. */
export function receivedDescriptors(env: NodeJS.ProcessEnv = process.env): readonly number[] {
  if (env['LISTEN_PID'] !== String(process.pid)) return [];
  const fds = Array.from({ length: Number(env['LISTEN_FDS'] ?? 0) }, (_, index) => FIRST_PASSED + index);
  for (const fd of fds) setCloseOnExec(fd, true);
  return fds;
}
