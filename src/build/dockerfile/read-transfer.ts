import { readFlags } from './flags.ts';
import { findHeredocOpening, heredocText } from './heredoc.ts';
import type { AddInstruction, CopyInstruction, InlineFile } from './instruction.ts';
import type { InstructionNode } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import { commonOf } from './read-common.ts';

const shared = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'texts' } as const;
const ofCopy = { ...shared, from: 'text', parents: 'boolean' } as const;
const ofAdd = { ...shared, checksum: 'text', 'keep-git-dir': 'boolean', unpack: 'boolean' } as const;

function checkCount(node: InstructionNode, instruction: string): void {
  if (node.words.length >= 2) return;
  throw new DockerfileError(
    `${instruction} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}

/** Sources that are paths, those that are inline files, and the destination. */
function endpoints(
  node: InstructionNode,
  instruction: string,
): { sources: string[]; files: InlineFile[]; destination: string } {
  const destination = node.words.at(-1) ?? '';
  if (findHeredocOpening(destination)) {
    throw new DockerfileError(`${instruction} cannot accept a heredoc as a destination`);
  }
  const contents = new Map(node.heredocs.map((heredoc) => [heredoc.name, heredoc.content]));
  const sources: string[] = [];
  const files: InlineFile[] = [];
  for (const word of node.words.slice(0, -1)) {
    const opening = findHeredocOpening(word);
    if (!opening) sources.push(word);
    else {
      const text = heredocText({ content: contents.get(opening.name) ?? '', chomp: opening.chomp });
      files.push({ name: opening.name, text, expand: opening.expand });
    }
  }
  return { sources, files, destination };
}

export function readCopy(node: InstructionNode): CopyInstruction {
  checkCount(node, 'COPY');
  const flags = readFlags(node.flags, ofCopy);
  return {
    kind: 'copy',
    ...commonOf(node),
    ...endpoints(node, 'COPY'),
    chown: flags.chown ?? '',
    chmod: flags.chmod ?? '',
    link: flags.link === true,
    exclude: flags.exclude,
    from: flags.from ?? '',
    parents: flags.parents === true,
  };
}

export function readAdd(node: InstructionNode): AddInstruction {
  checkCount(node, 'ADD');
  const flags = readFlags(node.flags, ofAdd);
  return {
    kind: 'add',
    ...commonOf(node),
    ...endpoints(node, 'ADD'),
    chown: flags.chown ?? '',
    chmod: flags.chmod ?? '',
    link: flags.link === true,
    exclude: flags.exclude,
    checksum: flags.checksum ?? '',
    keepGitDir: flags['keep-git-dir'],
    unpack: flags.unpack,
  };
}
