import { clientVersion } from '#client';
import type { Context } from '../../context.ts';
import { programVersion } from '../../program-version.ts';

/** What `version` and `info` say about this program. */
export interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

export function describeClient(context: Context): ClientVersion {
  return {
    Version: programVersion,
    ApiVersion: context.engine.version,
    DefaultAPIVersion: clientVersion,
    GitCommit: 'wharf',
    GoVersion:
      process.versions.bun === undefined ? `node${process.versions.node}` : `bun${process.versions.bun}`,
    Os: 'linux',
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: '',
    Context: context.contextName,
  };
}
