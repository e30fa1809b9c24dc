import type { Compression } from '../compression.ts';
import type {
  AppliedLayer,
  ArchiveLimits,
  LayerFolders,
  ListedEntry,
  PackedArchive,
  PlacedEntry,
  UnpackedArchive,
  Change,
  TreeUsage,
} from '../archiver.ts';

/** Where a job's bytes come from: a file, or a pipe that the worker opens and the main thread fills. */
export type JobInput = { readonly path: string } | { readonly compression: Compression };

/** What a worker can be asked for. */
export type Job =
  | {
      readonly kind: 'apply';
      readonly input: JobInput;
      readonly mounts: LayerFolders;
      readonly limits: ArchiveLimits;
      readonly wantDigest: boolean;
    }
  | {
      readonly kind: 'unpack';
      readonly input: JobInput;
      readonly root: string;
      readonly path: string;
      readonly keepKinds: boolean;
      readonly owner?: { readonly uid: number; readonly gid: number };
      readonly limits: ArchiveLimits;
    }
  | {
      readonly kind: 'pack';
      readonly root: string;
      readonly path: string;
      readonly name: string | undefined;
      readonly mtime: bigint | undefined;
    }
  | { readonly kind: 'clamp'; readonly input: JobInput; readonly latest: bigint }
  | { readonly kind: 'diff'; readonly mounts: LayerFolders; readonly compression: 'none' | 'gzip' }
  | { readonly kind: 'changes'; readonly mounts: LayerFolders }
  | { readonly kind: 'copy'; readonly root: string; readonly path: string; readonly target: string }
  | {
      readonly kind: 'list';
      readonly root: string;
      readonly path: string;
      readonly digests: boolean;
      readonly depth: number;
    }
  | { readonly kind: 'place'; readonly root: string; readonly entries: readonly PlacedEntry[] }
  | { readonly kind: 'usage'; readonly path: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'digest'; readonly path: string; readonly algorithm: string }
  | { readonly kind: 'compare'; readonly path: string; readonly model: string };

/** What each kind of job gives back. */
export interface JobResults {
  apply: AppliedLayer;
  unpack: UnpackedArchive;
  pack: PackedArchive;
  clamp: PackedArchive;
  diff: PackedArchive;
  changes: readonly Change[];
  copy: undefined;
  list: readonly ListedEntry[];
  place: undefined;
  usage: TreeUsage;
  remove: undefined;
  sync: undefined;
  digest: string;
  compare: readonly string[];
}

/** Main thread → worker. `stop` is one Int32 that turns 1 when the job is no longer wanted. */
export interface JobMessage {
  readonly job: Job;
  readonly stop: SharedArrayBuffer;
  readonly programFolders: readonly string[];
}

/** An error on its way between threads. */
export interface JobFailure {
  readonly kind: string | undefined;
  readonly message: string;
  readonly code: string | undefined;
}

/** Worker → main thread: first, if the job streams, the end of a pipe to fill or to empty; then how it ended. */
export type WorkerMessage =
  | { readonly type: 'pipe'; readonly fd: number }
  | { readonly type: 'done'; readonly result: JobResults[keyof JobResults] }
  | { readonly type: 'failed'; readonly failure: JobFailure };
