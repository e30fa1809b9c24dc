/** Short answers of the container endpoints. */

export interface ContainerWaitResponse {
  readonly StatusCode: number;
  readonly Error?: { readonly Message?: string } | null;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface ContainerTopResponse {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

/** One entry of GET /containers/{id}/changes (which answers null for none). */
export interface FilesystemChange {
  readonly Path: string;
  /** 0 modified, 1 added, 2 deleted */
  readonly Kind: 0 | 1 | 2;
}

export interface ContainersPruneResponse {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

/** What the header X-Docker-Container-Path-Stat carries as base64 JSON. */
export interface ContainerPathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode: permission bits, and type bits from the top (folder 1<<31, symbolic link 1<<27 …). */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}
