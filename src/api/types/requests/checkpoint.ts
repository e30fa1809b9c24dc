import type { CheckpointRequest } from '../checkpoint.ts';
import { boolean, read, string, struct } from './shape.ts';

const checkpointRequest = struct<CheckpointRequest>('checkpoint.CreateOptions', {
  CheckpointID: string(),
  CheckpointDir: string(),
  Exit: boolean,
});

/** Reads the body of POST /containers/{id}/checkpoints. Throws invalidArgument `invalid JSON: …`. */
export const parseCheckpointRequest = (body: unknown): CheckpointRequest =>
  read(checkpointRequest, body, { owner: 'CreateOptions' });
