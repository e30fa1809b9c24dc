import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errnoOf, messageOf } from '#kernel';
import type { SshSource } from './build-options.ts';

/** Sockets of agents by the ids that builds know them by. Disposing ends those that were started for the build. */
export interface SshAgents extends Disposable {
  readonly sockets: ReadonlyMap<string, string>;
}

/** Milliseconds that an agent may take to listen. */
const patience = 5_000;

/**
 * Finds the agent of each source; keys get an agent of their own, ssh's, which asks for passphrases as ever. Throws
 * buildx's texts.
 */
export async function findAgents(
  sources: readonly SshSource[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<SshAgents> {
  using started = new DisposableStack();
  const sockets = new Map<string, string>();
  for (const { id, paths } of sources) {
    const [first = env['SSH_AUTH_SOCK'] ?? '', ...others] = paths;
    if (first === '') {
      throw new Error('invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set');
    }
    const found = statSync(first, { throwIfNoEntry: false });
    if (!found) throw new Error(`failed to open ${first}: no such file or directory`);
    if (!found.isSocket()) sockets.set(id, await startAgent([first, ...others], started));
    else if (others.length === 0) sockets.set(id, first);
    else throw new Error('only single socket allowed');
  }
  const stack = started.move();
  return { sockets, [Symbol.dispose]: () => stack.dispose() };
}

/** An agent that holds these keys, on a socket that only we can reach. */
async function startAgent(keys: readonly string[], started: DisposableStack): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-agent-'));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'agent.sock');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  started.defer(() => void agent.kill());
  const failed = once(agent, 'error').then(([error]: unknown[]) => {
    throw new Error(`cannot start ssh-agent: ${messageOf(error)}`, { cause: error });
  });
  await Promise.race([listening(socket), failed]);
  const { status, stderr, error } = spawnSync('ssh-add', ['-q', ...keys], {
    env: { ...process.env, SSH_AUTH_SOCK: socket },
    stdio: ['inherit', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(
      `failed to add ${keys.join(', ')} to an agent: ${error ? messageOf(error) : stderr.trim()}`,
    );
  }
  return socket;
}

async function listening(socket: string): Promise<void> {
  const deadline = performance.now() + patience;
  while (!isSocket(socket)) {
    if (performance.now() > deadline) throw new Error('ssh-agent does not listen');
    await setTimeout(5);
  }
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
