import type { Platform } from '#oci';
import type { CacheSharing } from '../dockerfile/run-mount.ts';
import type { DeviceRequest, SecurityMode } from '../dockerfile/instruction.ts';

/** `sha256:…` of what the vertex is, its inputs included: equal work has one id, in one build and across builds. */
export type VertexId = string & { readonly __brand: 'VertexId' };

/** A file system to work on: what a vertex results in, or nothing. */
export type FileSystem = VertexId | 'scratch';

/** A root file system from an image. */
export interface ImageVertex {
  readonly kind: 'image';
  /** With tag, and digest where one is known. */
  readonly reference: string;
  readonly platform: Platform;
  /** Of an OCI layout that the client holds, in place of a registry or the image store. */
  readonly layout?: { readonly store: string; readonly digest: string };
}

/** Files of the client: the build context (`context`) or a named one. */
export interface LocalVertex {
  readonly kind: 'local';
  readonly name: string;
}

/** What another build of the same client results in. */
export interface InputVertex {
  readonly kind: 'input';
  readonly name: string;
}

export interface GitVertex {
  readonly kind: 'git';
  readonly remote: string;
  readonly ref: string;
  readonly subdir: string;
  /** The commit that the ref must be, or begin with. */
  readonly checksum: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
}

/** One file by its address, put under this name. */
export interface HttpVertex {
  readonly kind: 'http';
  readonly url: string;
  readonly fileName: string;
  /** A digest, or '' for anything. */
  readonly checksum: string;
}

export type ExecMount =
  | {
      readonly kind: 'bind';
      readonly target: string;
      readonly from: FileSystem;
      readonly source: string;
      /** Else writes are allowed and forgotten. */
      readonly readOnly: boolean;
    }
  | {
      readonly kind: 'cache';
      readonly target: string;
      /** What a new cache begins with. */
      readonly from: FileSystem;
      readonly source: string;
      readonly id: string;
      readonly sharing: CacheSharing;
      readonly readOnly: boolean;
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly size: number; readonly readOnly: boolean }
  | ({ readonly kind: 'secret'; readonly env: string | undefined } & ExecSocket)
  | ({ readonly kind: 'ssh' } & ExecSocket);

/** A file or socket that the client provides while the command runs. */
interface ExecSocket {
  readonly id: string;
  /** Undefined for the default place, or for none. */
  readonly target: string | undefined;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ExecVertex {
  readonly kind: 'exec';
  readonly root: FileSystem;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]` by name or number, '' for root. */
  readonly user: string;
  readonly hostname: string;
  /** `default`, `none`, `host`; of a build without BuildKit's protocol also another network's name. */
  readonly network: string;
  /** `name:address`, further lines of its hosts file; left out for none. */
  readonly extraHosts?: readonly string[];
  readonly security: SecurityMode;
  readonly mounts: readonly ExecMount[];
  readonly devices: readonly DeviceRequest[];
  readonly platform: Platform;
}

export type FileAction =
  | {
      readonly kind: 'mkdir';
      readonly path: string;
      readonly mode: number;
      /** `user[:group]`, looked up in the file system that is changed; '' for root. */
      readonly owner: string;
    }
  | { readonly kind: 'mkfile'; readonly path: string; readonly mode: number; readonly data: string }
  | CopyAction;

export interface CopyAction {
  readonly kind: 'copy';
  readonly from: FileSystem;
  /** Absolute within `from`. */
  readonly source: string;
  /** A slash, or `/.`, at its end says that it is a folder. */
  readonly destination: string;
  /** '' keeps the owner of inline files and root for the rest. */
  readonly owner: string;
  /** Octal as a number, symbolic (`u+x`) as text. */
  readonly mode: number | string | undefined;
  /** Paths of the source, relative, that are copied with the folders above them: --parents. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** A local archive is unpacked in place of being copied. */
  readonly unpack: boolean;
  /** The source may have wildcards; it need not match; a folder's contents are copied, links at the end followed. */
  readonly pattern: boolean;
}

/** Changes of files, done in order; they make one layer. */
export interface FileVertex {
  readonly kind: 'file';
  readonly base: FileSystem;
  readonly actions: readonly FileAction[];
  readonly platform: Platform;
}

/** File systems laid over each other, the last on top: COPY --link does not depend on what is below it. */
export interface MergeVertex {
  readonly kind: 'merge';
  readonly layers: readonly FileSystem[];
}

export type Vertex =
  ExecVertex | FileVertex | GitVertex | HttpVertex | ImageVertex | InputVertex | LocalVertex | MergeVertex;

/** What a vertex needs done before it. */
export function inputsOf(vertex: Vertex): VertexId[] {
  const from = (systems: readonly FileSystem[]): VertexId[] => [
    ...new Set(systems.filter((system): system is VertexId => system !== 'scratch')),
  ];
  switch (vertex.kind) {
    case 'exec': {
      const mounts = vertex.mounts.flatMap((mount) => ('from' in mount ? [mount.from] : []));
      return from([vertex.root, ...mounts]);
    }
    case 'file': {
      const copied = vertex.actions.flatMap((action) => (action.kind === 'copy' ? [action.from] : []));
      return from([vertex.base, ...copied]);
    }
    case 'merge':
      return from(vertex.layers);
    default:
      return [];
  }
}
