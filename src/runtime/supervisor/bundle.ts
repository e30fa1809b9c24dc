import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '#kernel';

/** What the supervisor itself needs to know of a bundle's config.json. */
export interface BundleFacts {
  readonly args: readonly string[];
  /** Absolute cgroup path; undefined when the OCI runtime chooses it. */
  readonly cgroup: string | undefined;
  /** Whether hooks are to be run when the container is deleted. */
  readonly poststop: boolean;
}

interface Config {
  readonly process?: { readonly args?: readonly string[] };
  readonly linux?: { readonly cgroupsPath?: string };
  readonly hooks?: { readonly poststop?: readonly unknown[] };
}

/** Throws invalidArgument when the bundle has no readable config.json. */
export function readBundle(bundle: string): BundleFacts {
  let config: Config;
  try {
    // Written by the daemon and validated by the OCI runtime, which reads it next.
    config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as Config;
  } catch (error) {
    throw invalidArgument(`the bundle ${bundle} has no readable config.json`, error);
  }
  const path = config.linux?.cgroupsPath;
  return {
    args: config.process?.args ?? [],
    cgroup: path?.startsWith('/') && path !== '/' ? path : undefined,
    poststop: (config.hooks?.poststop?.length ?? 0) > 0,
  };
}
