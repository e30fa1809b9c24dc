import type { ExecInspectResponse } from '#api/types';
import type { ExecRecord } from '#containers';

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
    CanRemove: exec.state.status === 'exited',
    ContainerID: exec.containerId,
    DetachKeys: exec.detachKeys ?? '',
    Pid: exec.state.status === 'created' ? 0 : exec.state.pid,
  };
}
