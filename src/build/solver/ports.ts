import type { Duplex } from 'node:stream';
import type { Archiver } from '#archive';
import type { BuildClaim, ImageBuilding, LayerStack } from '#images';
import { KeyedLock, Limiter } from '#kernel';
import type { Digest, Platform } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { ContextStore } from '../contexts/context-store.ts';
import type { FailedStep } from '../export/failed-step.ts';
import type { SourceTree } from '../files/source-tree.ts';
import type { DeviceRequest } from '../dockerfile/instruction.ts';
import type { BuildGraph } from '../graph/graph-builder.ts';
import type { FileSystem, GitVertex, HttpVertex, VertexId } from '../graph/vertex.ts';
import type { Sources } from '../sources/sources.ts';
import type { BuildCache } from '../cache/build-cache.ts';
import type { BuildMemory } from '../explain/build-memory.ts';
import type { LeakWatch } from '../leaks/leak-watch.ts';
import type { ImportedCaches } from '../cache/imported-caches.ts';
import type { CacheMounts } from '../cache/cache-mounts.ts';
import type { CommandLimits } from '../limits.ts';
import type { Result } from './result.ts';

/** A file, folder or empty space that a command sees at a place. */
export type CommandMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly options: string };

/** A command in a writable snapshot. */
export interface Command {
  /** Key of the snapshot. */
  readonly id: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDirectory: string;
  readonly user: string;
  readonly hostname: string;
  /** `default`, `none`, `host`, or a network's name. */
  readonly network: string;
  readonly mounts: readonly CommandMount[];
  readonly devices: readonly DeviceRequest[];
  /** `name:address` */
  readonly extraHosts: readonly string[];
  readonly limits: CommandLimits;
  /** With all privileges: --security=insecure. */
  readonly isPrivileged: boolean;
}

/** An SSH agent that a client forwards. */
export interface ClientAgent {
  /** Begins a conversation with it. It ends with the socket, and the socket with it. */
  connect(socket: Duplex): void;
}

export interface CommandOptions {
  readonly signal: AbortSignal;
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void;
}

/** Runs commands, confined like containers; the engine's containers do it. */
export interface CommandRunner {
  run(
    command: Command,
    options: CommandOptions,
  ): Promise<{ readonly exitCode: number | undefined; readonly oomKilled: boolean }>;
}

/** How the builds of one engine share it. */
export class BuildTurns {
  /** Steps that run at once: many of them wait for the network or for the disk. */
  readonly steps = new Limiter(16);
  /** Steps that are being done, by their keys: who needs the same waits for it. */
  readonly keys = new KeyedLock();
}

/** What the builder stands on. */
export interface BuildParts {
  readonly building: ImageBuilding;
  readonly archiver: Archiver;
  readonly snapshots: Pick<Snapshotter, 'mounts' | 'mount'>;
  readonly commands: CommandRunner;
  readonly contexts: ContextStore;
  readonly sources: Sources;
  readonly cache: BuildCache;
  readonly memory: BuildMemory;
  readonly leaks: LeakWatch;
  readonly turns: BuildTurns;
  /** Where file systems are mounted while they are worked on. */
  readonly mountFolder: string;
  /** Folders of RUN --mount=type=cache. */
  readonly mounts: CacheMounts;
}

/** What a build has of its own. */
export interface BuildInputs {
  readonly graph: BuildGraph;
  readonly claim: BuildClaim;
  readonly signal: AbortSignal;
  readonly observer: BuildObserver;
  readonly journal: StepJournal;
  /** What other builders have done. */
  readonly imported: ImportedCaches;
  /** Variables of proxies, `NAME=value`: they reach commands, but count for nothing. */
  readonly proxies: readonly string[];
  /** Of all its commands. */
  readonly limits: CommandLimits;
  /** The layers of a base image, which is here by then. */
  image(reference: string, platform: Platform): Promise<LayerStack>;
  /** The client's files: `context` or a named set. */
  local(name: string): Promise<SourceTree>;
  /** Files from the network; `id` is that of the vertex. */
  remote(id: VertexId, vertex: GitVertex | HttpVertex): Promise<SourceTree>;
  /** What another build of the same client came to. */
  input(name: string): Promise<Result>;
  /** Keeps what a failed command left for whoever wants to look at it; the image's id. */
  readonly failed?: (step: FailedStep) => Promise<Digest>;
  /** A secret of the client; undefined where it has none of that name. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** An agent of the client; undefined where it forwards none of that name. */
  agent(id: string): Promise<ClientAgent | undefined>;
}

/** Told what each step is made of. */
export interface StepJournal {
  /** The result was known. `resultOf` finds what its inputs came to. */
  found(id: VertexId, key: string, resultOf: (system: FileSystem) => Result): void;
  /** It was not; the step is done when this has resolved. */
  missed(id: VertexId, key: string, resultOf: (system: FileSystem) => Result): Promise<void>;
}

/** Told how a build goes on. */
export interface BuildObserver {
  started(id: VertexId): void;
  completed(id: VertexId, outcome: { readonly cached: boolean; readonly error?: Error }): void;
  output(id: VertexId, stream: 'stdout' | 'stderr', data: Uint8Array): void;
}
