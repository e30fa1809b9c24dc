import type { ExecInspectResponse } from '#api/types';
import type { ExecRecord } from '#containers';
import { parseDetachKeys } from '../hijack/detach-keys.ts';

/** GET /exec/{id}/json. */
export function viewExec(exec: ExecRecord): ExecInspectResponse {
  const [entrypoint = '', ...args] = exec.command;
  return {
    ID: exec.id,
    Running: exec.state.status === 'running',
    ExitCode: exec.state.status === 'exited' ? exec.state.exitCode : null,
    ProcessConfig: {
      tty: exec.tty,
      entrypoint,
      arguments: args,
      privileged: exec.privileged,
      ...(exec.user !== '' && { user: exec.user }),
    },
    OpenStdin: exec.attachStdin,
    OpenStderr: exec.attachStderr,
    OpenStdout: exec.attachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    // Go shows bytes so.
    DetachKeys: Buffer.from(exec.detachKeys === undefined ? [] : parseDetachKeys(exec.detachKeys)).toString(
      'base64',
    ),
    Pid: exec.state.status === 'created' ? 0 : exec.state.pid,
  };
}
