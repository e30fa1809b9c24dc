import type { SecretSource } from './session/secrets.ts';
import type { Setting } from './solve.ts';

/** Where a result goes. */
export interface BuildOutput {
  /** `image`, `registry`, `docker`, `oci`, `tar`, `local`, `cacheonly`. */
  readonly type: string;
  /** A folder, a file, or `-` for standard output. */
  readonly dest?: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Keys or agents that a build may use under one id. */
export interface SshSource {
  readonly id: string;
  /** Of keys, or of one agent's socket. Empty: the agent of the environment. */
  readonly paths: readonly string[];
}

/** A question about a Dockerfile in place of a build: `outline`, `targets`, `lint`, `subrequests.describe`. */
export interface BuildCall {
  readonly name: string;
  readonly format: 'text' | 'json';
  readonly ignoreStatus: boolean;
}

/** One build as a person asks for it, on the command line or in a file of bake. */
export interface BuildOptions {
  /** A folder, an address, or `-` for standard input. */
  readonly context: string;
  /** Path of the Dockerfile, relative to where the command runs; `-` for standard input. */
  readonly dockerfile?: string;
  /** The Dockerfile itself. */
  readonly dockerfileInline?: string;
  readonly contexts: Readonly<Record<string, string>>;
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: readonly string[];
  readonly target?: string;
  readonly platforms: readonly string[];
  readonly tags: readonly string[];
  readonly noCache: boolean;
  readonly noCacheFilter: readonly string[];
  readonly pull: boolean;
  readonly network?: string;
  /** `name:address` */
  readonly extraHosts: readonly string[];
  /** Bytes. */
  readonly shmSize?: number;
  /** `nofile=1024:2048` */
  readonly ulimits: readonly string[];
  readonly cgroupParent?: string;
  /** Further options of the frontend, by its names. */
  readonly limits: Readonly<Record<string, string>>;
  readonly entitlements: readonly string[];
  readonly outputs: readonly BuildOutput[];
  readonly cacheFrom: readonly Setting[];
  readonly cacheTo: readonly Setting[];
  readonly secrets: ReadonlyMap<string, SecretSource>;
  readonly ssh: readonly SshSource[];
  /** Settings of attestations by type, as `mode=max`. */
  readonly attestations: Readonly<Record<string, string>>;
  readonly call?: BuildCall;
  /** Asks why each step was done; engines other than Wharf's do not answer. */
  readonly explains?: boolean;
  /** Asks to keep what a failed command leaves, as an image. */
  readonly keepsFailed?: boolean;
  /** Leaves out of the context what its .gitignore files name, and git's own folder. */
  readonly usesGitIgnore?: boolean;
}

/** Options that ask for nothing but a context. */
export const plainOptions = (context: string): BuildOptions => ({
  ...{ context, contexts: {}, buildArguments: {}, labels: {}, annotations: [], platforms: [], tags: [] },
  ...{ noCache: false, noCacheFilter: [], pull: false, extraHosts: [], ulimits: [], limits: {} },
  ...{ entitlements: [], outputs: [], cacheFrom: [], cacheTo: [], secrets: new Map(), ssh: [] },
  attestations: {},
});
