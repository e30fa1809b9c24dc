import { defineCommand, noArguments } from '../../command.ts';
import { bool, list, string } from '../../flags/index.ts';
import { optionsOf, runRegistryProgram } from './registry-program.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Serve a registry (OCI distribution 1.1) from a folder',
  description:
    'Serve a registry (OCI distribution 1.1) from a folder, until interrupted.\nSIGHUP reads the files that the options name again.',
  arguments: noArguments,
  flags: {
    access: string('JSON or YAML file with rules: repositories, users and actions (pull, push, delete)'),
    config: string('YAML or JSON file with access, retention, quotas, webhooks and more'),
    'gc-grace': string('Minutes for which what no manifest needs is kept', { initial: '60' }),
    'gc-interval': string('Minutes between two rounds of retention and garbage collection; 0: none', {
      initial: '60',
    }),
    'gc-untagged': bool('Also collect manifests that no tag, index or subject keeps'),
    htpasswd: string('File with users and their bcrypt hashes (htpasswd -B)'),
    'immutable-tags': list('Tags that are never moved, as repository:tag patterns'),
    listen: string('Address and port', { initial: '127.0.0.1:5000' }),
    'log-level': string('Least level of what is logged (debug, info, warn, error, silent)', {
      initial: 'info',
    }),
    'metrics-addr': string('Address and port of /metrics and /healthz'),
    'no-page': bool('Serve no page for browsers'),
    proxy: string('File with registries that repositories here are copies of (pull-through cache)'),
    'read-only': bool('Refuse pushes and deletions'),
    root: string('Folder of the registry', { initial: '/var/lib/wharf-registry' }),
    'sparse-manifests': bool('Take manifests although some of what they refer to is not there'),
    'tls-cert': string('Certificate, a PEM file'),
    'tls-key': string('Key of the certificate, a PEM file'),
    'token-service': string('File with an outside service whose tokens are taken (JWT)'),
  },
  async run(_context, { flags, changed }) {
    await runRegistryProgram(optionsOf(flags, changed));
  },
});
