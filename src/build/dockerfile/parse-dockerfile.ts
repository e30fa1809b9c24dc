import type { Checks } from '../checks/checks.ts';
import type { ArgInstruction, Stage, StageInstruction } from './instruction.ts';
import type { DockerfileSyntax } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import type { Location } from './location.ts';
import { readInstruction } from './read-instruction.ts';

/** A file as typed instructions. */
export interface Dockerfile {
  readonly escape: string;
  /** ARG before the first FROM. */
  readonly globalArguments: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}

/** Nodes → stages of typed instructions. Throws DockerfileError in the words of Docker's builder. */
export function readDockerfile(syntax: DockerfileSyntax, checks: Checks): Dockerfile {
  const globalArguments: ArgInstruction[] = [];
  const stages: { from: Stage['from']; instructions: StageInstruction[] }[] = [];
  for (const location of syntax.emptyContinuations) {
    checks.report('NoEmptyContinuation', location, 'Empty continuation line');
  }
  for (const node of syntax.instructions) {
    const instruction = refusing(node.location, () => readInstruction(node, checks));
    const stage = stages.at(-1);
    if (instruction.kind === 'from') stages.push({ from: instruction, instructions: [] });
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArguments.push(instruction);
    else throw new DockerfileError('no build stage in current context', [node.location]);
  }
  if (stages.length === 0) throw new DockerfileError('dockerfile contains no stages to build');
  return { escape: syntax.escape, globalArguments, stages };
}

/** What is wrong with an instruction in itself is told with its line. */
function refusing<T>(location: Location, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const message = `dockerfile parse error on line ${location.firstLine}: ${error.message}`;
    throw new DockerfileError(message, [location]);
  }
}
