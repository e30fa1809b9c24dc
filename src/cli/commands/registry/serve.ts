import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { defineCommand, ExitStatus, noArguments } from '../../command.ts';
import { findRegistry } from '../../daemon/find-daemon.ts';
import { bool, list, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Serve a registry (OCI distribution 1.1) from a folder',
  description: 'Serve a registry (OCI distribution 1.1) from a folder, until interrupted.',
  arguments: noArguments,
  flags: {
    access: string('JSON file with rules: repositories, users and actions (pull, push, delete)'),
    'gc-grace': string('Minutes for which what no manifest needs is kept', { initial: '60' }),
    'gc-interval': string('Minutes between two garbage collections; 0: none', { initial: '60' }),
    'gc-untagged': bool('Also collect manifests that no tag, index or subject keeps'),
    htpasswd: string('File with users and their bcrypt hashes (htpasswd -B)'),
    'immutable-tags': list('Tags that are never moved, as repository:tag patterns'),
    listen: string('Address and port', { initial: '127.0.0.1:5000' }),
    'read-only': bool('Refuse pushes and deletions'),
    root: string('Folder of the registry', { initial: '/var/lib/wharf-registry' }),
    'sparse-manifests': bool('Take manifests although some of what they refer to is not there'),
    'tls-cert': string('Certificate, a PEM file'),
    'tls-key': string('Key of the certificate, a PEM file'),
  },
  async run(_context, { flags, changed }) {
    const given = Object.entries(flags).filter(([name]) => changed.has(name));
    const args = given.flatMap(([name, value]) => {
      if (typeof value === 'boolean') return value ? [`--${name}`] : [];
      return (typeof value === 'string' ? [value] : value).map((text) => `--${name}=${text}`);
    });
    const [program, ...own] = findRegistry();
    const server = spawn(program, [...own, ...args], { stdio: 'inherit' });
    // An interrupt from the terminal reaches both; this one waits for the server to end.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));
    const [code] = (await once(server, 'exit')) as [number | null];
    if (code !== 0) throw new ExitStatus(code ?? 1);
  },
});
