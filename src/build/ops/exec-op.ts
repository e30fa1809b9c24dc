import { messageOf } from '#kernel';
import type { LayerStack } from '#images';
import type { ExecVertex, FileSystem } from '../graph/vertex.ts';
import type { BuildInputs, BuildParts, CommandOptions } from '../solver/ports.ts';
import { agentTarget, MountOpener } from './exec-mounts.ts';
import { checkCanRun } from './emulation.ts';
import { prepareRoot, removeStubs } from './mount-points.ts';
import { CommandError } from './command-error.ts';

/** As BuildKit names a sandbox that has no name. */
const defaultHostname = 'buildkitsandbox';

const agentVariable = 'SSH_AUTH_SOCK';

const nameOf = (variable: string): string => variable.slice(0, variable.indexOf('='));

/** Runs a command over its root; resolves to the layers with what it changed on top. */
export async function runExecOp(
  parts: BuildParts,
  inputs: BuildInputs,
  vertex: ExecVertex,
  root: LayerStack,
  layersOf: (system: FileSystem) => Promise<LayerStack>,
  onOutput: CommandOptions['onOutput'],
): Promise<LayerStack> {
  const { claim, signal } = inputs;
  checkCanRun(vertex.platform);
  const key = await claim.open(root);
  await using opened = new AsyncDisposableStack();
  opened.defer(async () => claim.discard(key));
  const env = [...vertex.env];
  const opener = new MountOpener(parts, inputs, layersOf, opened);
  await opener.openCaches(vertex.mounts);
  for (const mount of vertex.mounts) {
    if (mount.kind === 'secret' && mount.env !== undefined) {
      const value = await opener.secret(mount.id, mount.required);
      if (value) env.push(`${mount.env}=${Buffer.from(value).toString()}`);
    }
  }
  const mounts = await opener.openAll(vertex.mounts);
  const agent = agentTarget(vertex.mounts);
  if (agent !== undefined && !env.some((each) => nameOf(each) === agentVariable)) {
    // Also where the client forwards none, as BuildKit has it.
    env.push(`${agentVariable}=${agent}`);
  }
  const hostname = vertex.hostname === '' ? defaultHostname : vertex.hostname;
  const proxies = inputs.proxies.filter((each) => !env.some((own) => nameOf(own) === nameOf(each)));
  const command = {
    ...{ id: key, args: vertex.args, env: [...env, ...proxies], user: vertex.user, hostname },
    ...{ workingDirectory: vertex.cwd, network: vertex.network, mounts },
    ...{ devices: vertex.devices, extraHosts: vertex.extraHosts ?? [], limits: inputs.limits },
    isPrivileged: vertex.security === 'insecure',
  };
  const stubs = await prepareRoot(
    parts,
    key,
    mounts.map(({ target }) => target),
  );
  const { exitCode, oomKilled } = await parts.commands
    .run(command, { signal, onOutput })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      // It could not be started; the reason is part of what is told.
      onOutput('stderr', Buffer.from(`${messageOf(error)}\n`));
      return { exitCode: 1, oomKilled: false };
    });
  if (stubs.length > 0) await removeStubs(parts, key, stubs);
  const frozen = async (): Promise<LayerStack> => [...root, await claim.freeze(key, root, { signal })];
  if (exitCode === 0) return await frozen();
  const kept = await inputs.failed?.({ vertex, layers: await frozen() });
  throw new CommandError(vertex.args, exitCode, oomKilled, kept);
}
