import type { ClientAgent } from '../solver/ports.ts';
import { openAgentSocket } from './agent-socket.ts';
import { StepVault } from './step-vault.ts';

/** A client's agent for a program of the engine's own: the path of a socket, which goes when it is disposed. */
export async function lendAgent(
  agent: ClientAgent,
  mountFolder: string,
): Promise<{ readonly path: string } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const path = await new StepVault(mountFolder, opening).place();
  opening.use(await openAgentSocket(agent, path, { mode: 0o600, uid: 0, gid: 0 }));
  const opened = opening.move();
  return { path, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
