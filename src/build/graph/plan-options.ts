import type { HistoryEntry, ImageConfig, ImageRuntimeConfig, Platform } from '#oci';
import type { CheckWarning } from '../checks/checks.ts';
import type { DockerfileError, Location } from '../dockerfile/location.ts';
import type { BuildGraph } from './graph-builder.ts';
import type { Outline } from './outline.ts';
import type { FileSystem, VertexId } from './vertex.ts';

/** What a client asks for beside the Dockerfile itself; everything may be left out. */
export interface PlanOptions {
  readonly target?: string;
  readonly buildArguments?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** What the image is for; without it the builder's own, or what a base image has. */
  readonly platform?: Platform;
  /** What runs here, the builder's own first. */
  readonly buildPlatforms?: readonly Platform[];
  /** Several platforms are built: their steps are told apart by name. */
  readonly multiPlatform?: boolean;
  /** `--build-context`: name → `docker-image://…`, `local:…`. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** Configurations of the results that contexts name (`input:NAME`), by these names. */
  readonly inputImages?: Readonly<Record<string, ImageConfig>>;
  /** Stages of which nothing is taken from the cache. */
  readonly noCache?: 'all' | readonly string[];
  /** The patterns of .dockerignore, for the check of what is copied. */
  readonly ignorePatterns?: readonly string[];
  readonly hostname?: string;
  /** Of a RUN that does not say: `default`, `none`, `host` or a network's name. */
  readonly network?: string;
  /** `name:address`, for all commands. */
  readonly extraHosts?: readonly string[];
  /** Keeps cache mounts of several builds apart. */
  readonly cacheNamespace?: string;
  /** All stages, not only what the target needs: for checks. */
  readonly allStages?: boolean;
  /** In place of the file's own `# check=`. */
  readonly check?: string;
}

/** An image whose configuration must be known before the plan can go on. */
export interface ImageRequest {
  /** Under which the answer is looked for. */
  readonly key: string;
  /** Canonical, with a tag or digest. */
  readonly reference: string;
  readonly platform: Platform;
  readonly layout?: { readonly store: string; readonly digest: string };
  /** As the Dockerfile has it. */
  readonly written: string;
  /** Of the instruction that needs it. */
  readonly location: Location;
}

export interface ResolvedImage {
  /** Of the manifest or index; '' where it is not known. */
  readonly digest: string;
  readonly config: ImageConfig;
}

/** A step's history entry lacks only its time. */
export type PlannedHistory = Omit<HistoryEntry, 'created'>;

/** The image's configuration without what only doing the work can tell: layers and times. */
export interface PlannedImage extends Platform {
  readonly author?: string;
  readonly config: ImageRuntimeConfig;
  readonly history: readonly PlannedHistory[];
  /** Entries of `history` that came with the base image, times and all. */
  readonly inheritedHistory: number;
}

/** An instruction of the file, and what it comes to in the graph: nothing for one that only sets a configuration. */
export interface PlannedInstruction {
  /** As it is written. */
  readonly text: string;
  readonly work: VertexId | undefined;
}

export interface BuildPlan {
  readonly kind: 'plan';
  readonly graph: BuildGraph;
  /** What becomes the image's file system. */
  readonly result: FileSystem;
  readonly image: PlannedImage;
  /** As it was resolved, untouched. */
  readonly baseImage: ImageConfig | undefined;
  readonly platform: Platform;
  readonly warnings: readonly CheckWarning[];
  /** Per set of local files the paths that are needed of it; undefined for all. */
  readonly localPaths: ReadonlyMap<string, readonly string[] | undefined>;
  readonly outline: Outline;
  /** Global arguments, and the instructions of all stages that are needed, in the order of the file. */
  readonly course: readonly PlannedInstruction[];
  /** File systems whose contents an SBOM lists beside the result, by stage or `context`. */
  readonly scanned: ReadonlyMap<string, FileSystem>;
}

/**
 * What planning came to: the plan, or what has to be looked up first; planBuild() is then called again with the
 * answers. Warnings are those found so far.
 */
export type PlanResult =
  | BuildPlan
  | {
      readonly kind: 'needs';
      readonly images: readonly ImageRequest[];
      readonly warnings: readonly CheckWarning[];
    }
  | {
      readonly kind: 'failed';
      readonly error: DockerfileError;
      readonly warnings: readonly CheckWarning[];
    };

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
