import { EngineError, kindOf, messageOf } from '#kernel';
import type { Location } from '../dockerfile/location.ts';
import type { VertexId } from '../graph/vertex.ts';

/** A step that could not be done: `cause` says why, in the same words. */
export class StepError extends EngineError {
  readonly id: VertexId;
  /** Of its instruction. */
  readonly location: Location | undefined;

  constructor(id: VertexId, location: Location | undefined, cause: unknown) {
    super(kindOf(cause), messageOf(cause), { cause });
    this.id = id;
    this.location = location;
  }
}
