import type { Step } from '../graph/graph-builder.ts';
import type { Vertex, VertexId } from '../graph/vertex.ts';

/** What a step was made of when it was done, or found done. */
export interface StepFacts {
  /** What the cache knows it by. */
  readonly key: string;
  /** What it was built on and copied from, but the client's files: a name of the contents of each. */
  readonly inputs: Readonly<Record<VertexId, string>>;
  /** The client's files that it took, by where it put them: contents and attributes. */
  readonly files: Readonly<Record<string, string>>;
}

/** A step as a build left it. */
export interface RecordedStep {
  readonly id: VertexId;
  readonly vertex: Vertex;
  readonly step: Pick<Step, 'instruction' | 'stage' | 'buildArguments' | 'ignoreCache'>;
  /** Of a step that the build got to. */
  readonly facts?: StepFacts;
}
