import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { eventually, succeed } from './commands.ts';
import { debianPackages } from './debian-packages.ts';
import { freePort } from './registry.ts';

export interface SshServer extends AsyncDisposable {
  /** `ssh://127.0.0.1:port` */
  readonly host: string;
  /** In which `ssh` logs in there without a question. */
  readonly env: Readonly<Record<string, string>>;
  /** File of the private key that logs in. */
  readonly key: string;
}

export interface SshServerOptions {
  /** What is found there by name: scripts of sh. */
  readonly programs: Readonly<Record<string, string>>;
}

/**
 * OpenSSH's server on a free port of loopback, with keys and settings of its own, in a mount namespace that has the
 * user and the folder which it asks for: nothing of the host is changed.
 */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const root = await debianPackages('openssh-server-9.2', 'bookworm', ['openssh-server', 'libwrap0']);
  const folder = await mkdtemp(join(tmpdir(), 'wharf-sshd-'));
  const file = (name: string): string => join(folder, name);
  for (const key of ['host', 'user'])
    await succeed('ssh-keygen', ['-qt', 'ed25519', '-N', '', '-f', file(key)]);
  const port = await freePort();
  const programs = file('there');
  const clientPrograms = file('here');
  for (const path of [programs, clientPrograms]) await mkdir(path);
  for (const [name, script] of Object.entries(options.programs)) {
    await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host')}`,
    `AuthorizedKeysFile ${file('user.pub')}`,
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    `SetEnv PATH=${programs}:/usr/bin:/bin`,
  ];
  await writeFile(file('sshd_config'), `${settings.join('\n')}\n`);
  const hostKey = (await readFile(file('host.pub'), 'utf8')).trim();
  await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`);
  const wanted = ['-F', 'none', '-i', file('user'), '-o', `UserKnownHostsFile=${file('known_hosts')}`];
  await writeFile(join(clientPrograms, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh ${wanted.join(' ')} "$@"\n`, {
    mode: 0o755,
  });
  const script = [
    'mount -t tmpfs none /run && mkdir /run/sshd && cp /etc/passwd /run/passwd',
    'echo "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin" >>/run/passwd && mount --bind /run/passwd /etc/passwd',
    `LD_LIBRARY_PATH=${root}/usr/lib/x86_64-linux-gnu exec ${root}/usr/sbin/sshd -D -e -f ${file('sshd_config')}`,
  ].join('\n');
  const unshared = [
    '--pdeathsig',
    'KILL',
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-ec',
    script,
  ];
  const server = spawn('setpriv', unshared, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => void server.once('exit', () => resolve()));
  const env = { PATH: `${clientPrograms}${delimiter}${process.env['PATH'] ?? ''}` };
  const result: SshServer = {
    host: `ssh://127.0.0.1:${port}`,
    env,
    key: file('user'),
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await eventually(() => succeed('ssh', ['-p', String(port), '127.0.0.1', 'echo ready'], { env }), {
      what: 'the ssh server answers',
    });
  } catch (error) {
    await result[Symbol.asyncDispose]();
    throw error;
  }
  return result;
}
