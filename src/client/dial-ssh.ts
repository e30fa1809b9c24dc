import { spawn } from 'node:child_process';
import { unavailable } from '#kernel';
import type { Connection } from './connection.ts';
import { Inbox } from './connection.ts';
import { formatEndpoint, type SshEndpoint } from './endpoint.ts';

/** Of what ssh prints, as much as belongs into an error. */
const keptText = 4096;

function sshArguments({ host, user, port, path }: SshEndpoint): readonly string[] {
  const at = path === undefined ? '' : ` --host '${`unix://${path}`.replaceAll("'", `'\\''`)}'`;
  const script = `if command -v wharf >/dev/null 2>&1; then exec wharf${at} system dial-stdio; else exec docker${at} system dial-stdio; fi`;
  return [
    ...['-o', 'ConnectTimeout=30', '-T'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    // Whatever the login shell over there is.
    ...['--', host, `exec sh -c '${script.replaceAll("'", `'\\''`)}'`],
  ];
}

/**
 * Connects by `ssh host wharf system dial-stdio`, or docker's command of that name where there is no wharf: keys,
 * agents, jump hosts and questions are ssh's own affair. A failure shows in the first read.
 */
export function dialSsh(endpoint: SshEndpoint): Connection {
  const child = spawn('ssh', sshArguments(endpoint), { stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child;
  const inbox = new Inbox(stdout);
  let said = '';
  let received = false;
  stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-keptText)));
  stdout.on('data', (chunk: Buffer) => {
    received = true;
    inbox.push(chunk);
  });
  // What ssh says of its end is the error; writing into a pipe without a reader is only its consequence.
  stdin.on('error', () => undefined);
  child.on('error', (error) => inbox.fail(error));
  child.on('close', (code) => {
    if (code !== 0 && !received) inbox.fail(failure(endpoint, said, code));
    inbox.end();
  });
  return {
    read: () => inbox.read(),
    write: async (bytes) => {
      if (stdin.write(bytes) || stdin.destroyed) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          stdin.off('drain', done);
          stdin.off('close', done);
          resolve();
        };
        stdin.on('drain', done);
        stdin.on('close', done);
      });
    },
    closeWrite: () => void stdin.end(),
    destroy: () => {
      stdin.destroy();
      stdout.destroy();
      child.kill();
    },
  };
}

function failure(endpoint: SshEndpoint, said: string, code: number | null): Error {
  const why = said.trim() === '' ? `ssh ended with status ${String(code)}` : said.trim();
  return unavailable(`cannot reach the engine at ${formatEndpoint(endpoint)}: ${why}`);
}
