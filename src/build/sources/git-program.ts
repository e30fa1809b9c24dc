import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { invalidArgument, unavailable } from '#kernel';
import type { RegistryProxies } from '#registry/client';

export interface GitOptions {
  readonly signal: AbortSignal;
  readonly folder: string;
  /** Settings beside ours, such as `http.extraheader`; they appear neither in arguments nor in output. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The socket of an agent that holds the client's keys. */
  readonly sshAgent?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In place of those of the environment. */
  readonly proxies: RegistryProxies;
  /** Repositories of this machine may be read: for our own. */
  readonly allowsFiles?: boolean;
  /** What git writes, for those who watch. */
  readonly onOutput?: (data: Uint8Array) => void;
  /** What it writes is for us alone. */
  readonly isQuiet?: boolean;
}

/** Bytes of what git answers that are kept. */
const largestAnswer = 16 * 1024 * 1024;

/** Nothing of a repository, nor of this machine's configuration, may make git run a program. */
const safeSettings: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'credential.helper': '',
  'protocol.ext.allow': 'never',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'init.defaultBranch': 'master',
  // A server that sends nothing for so many seconds is given up.
  'http.lowSpeedLimit': '1',
  'http.lowSpeedTime': '120',
  'advice.detachedHead': 'false',
};

function proxyVariables(proxies: RegistryProxies): Readonly<Record<string, string | undefined>> {
  const of = (name: string, configured: string | undefined): Record<string, string | undefined> => ({
    [name]: configured ?? process.env[name] ?? process.env[name.toUpperCase()],
  });
  return {
    ...of('http_proxy', proxies.http),
    ...of('https_proxy', proxies.https),
    ...of('no_proxy', proxies.no),
    ...of('all_proxy', undefined),
  };
}

/** Keys of this machine are nobody's business: only the agent's are tried. */
const ssh = [
  ...['ssh', '-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentityFile=none'],
  ...['-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=30', '-o', 'ServerAliveCountMax=4'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
].join(' ');

function environmentOf({
  settings = {},
  sshAgent,
  env,
  proxies,
  allowsFiles,
}: GitOptions): NodeJS.ProcessEnv {
  const all = Object.entries({ ...safeSettings, ...settings });
  return {
    PATH: process.env['PATH'],
    HOME: '/dev/null',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_SSH_COMMAND: ssh,
    GIT_ALLOW_PROTOCOL: `http:https:ssh:git${allowsFiles ? ':file' : ''}`,
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(all.map(([key], index) => [`GIT_CONFIG_KEY_${index}`, key])),
    ...Object.fromEntries(all.map(([, value], index) => [`GIT_CONFIG_VALUE_${index}`, value])),
    ...proxyVariables(proxies),
    ...(sshAgent !== undefined && { SSH_AUTH_SOCK: sshAgent }),
    ...env,
  };
}

/**
 * Runs git and answers what it writes. Throws invalidArgument with git's words where it fails, unavailable where this
 * machine has none.
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<string> {
  const { signal, folder, onOutput, isQuiet = false } = options;
  signal.throwIfAborted();
  // What is checked out has the permissions that git gives it everywhere, however the engine was started.
  const child = spawn('/bin/sh', ['-c', 'umask 022; exec "$@"', 'git', 'git', ...args], {
    ...{ cwd: folder, env: environmentOf(options), stdio: ['ignore', 'pipe', 'pipe'] },
    // Its helpers go with it.
    detached: true,
  });
  const stop = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  signal.addEventListener('abort', stop, { once: true });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (data: Buffer) => {
      if (written[name].length < largestAnswer) written[name] += data.toString();
      if (!isQuiet) onOutput?.(data);
    });
  }
  try {
    const [code] = (await once(child, 'close')) as [number | null]; // documented
    signal.throwIfAborted();
    if (code === 127) throw unavailable('the program git was not found: install it to use git repositories');
    if (code !== 0) throw new GitFailure(written.stderr, code);
    return written.stdout;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Git has refused to do something. */
export class GitFailure extends Error {
  readonly output: string;

  constructor(output: string, code: number | null) {
    super(`git stderr:\n${output}: exit status ${code ?? -1}`);
    this.name = 'GitFailure';
    this.output = output;
  }
}

/** Says what was to be done; what is in an address before an `@` stays hidden. */
export async function during<T>(what: string, remote: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw invalidArgument(hideLogin(`${what} ${remote}: ${error.message}`, remote), error);
  }
}

/** Takes user and password of an address out of a text. */
export function hideLogin(text: string, remote: string): string {
  const [, login] = /^\w+:\/\/([^/@]+)@/.exec(remote) ?? [];
  if (login === undefined || !login.includes(':')) return text;
  return text.replaceAll(`${login}@`, 'xxxxx:xxxxx@');
}
