/** Body of POST /containers/{id}/checkpoints. */
export interface CheckpointRequest {
  readonly CheckpointID?: string;
  /** '': the engine's own folder. */
  readonly CheckpointDir?: string;
  /** Whether the container ends with it. */
  readonly Exit?: boolean;
}

/** One of GET /containers/{id}/checkpoints. */
export interface CheckpointSummary {
  readonly Name: string;
}
