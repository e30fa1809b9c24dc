import type { Heredoc } from './heredoc.ts';
import type { Location } from './location.ts';

/** `k=v`, or `k v` in the old form of ENV and LABEL. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
  /** Written with a blank in place of `=`. */
  readonly legacy: boolean;
}

/** One instruction as it stands in the file: the tree between text and typed instructions. */
export interface InstructionNode {
  /** As written, `Run`. */
  readonly name: string;
  readonly flags: readonly string[];
  /** The arguments; for shell forms the whole text as one. */
  readonly words: readonly string[];
  /** The arguments were a JSON list. */
  readonly json: boolean;
  /** Of ENV and LABEL, in place of words. */
  readonly assignments: readonly Assignment[];
  /** What ONBUILD keeps for later. */
  readonly trigger?: InstructionNode;
  readonly heredocs: readonly Heredoc[];
  /** The line, with what continued it joined. */
  readonly text: string;
  /** The comment lines directly above, without `#`. */
  readonly comments: readonly string[];
  readonly location: Location;
}

/** A whole file as nodes. */
export interface DockerfileSyntax {
  readonly instructions: readonly InstructionNode[];
  readonly escape: string;
  /** Value of the directive `check`, `skip=…;error=true`. */
  readonly check?: string;
  /** Lines at whose instruction an empty line was taken for a continuation. */
  readonly emptyContinuations: readonly Location[];
}
