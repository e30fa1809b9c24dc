import type { InstructionNode } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import { trim } from '#kernel';

/** What every instruction takes over from its node. */
export const commonOf = (
  node: InstructionNode,
): Pick<InstructionNode, 'name' | 'text' | 'comments' | 'location'> => ({
  name: node.name,
  text: trim(node.text),
  comments: node.comments,
  location: node.location,
});

export const atLeastOne = (instruction: string): DockerfileError =>
  new DockerfileError(`${instruction} requires at least one argument`);

export function exactlyOne(node: InstructionNode, instruction: string): string {
  const [value] = node.words;
  if (value === undefined || node.words.length !== 1) {
    throw new DockerfileError(`${instruction} requires exactly one argument`);
  }
  return value;
}
