import type { Checks } from '../checks/checks.ts';
import { readFlags } from './flags.ts';
import { quoted } from './go-text.ts';
import type { FromInstruction } from './instruction.ts';
import type { InstructionNode } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import { commonOf } from './read-common.ts';

const stageName = /^[a-z][a-z0-9-_.]*$/;

function readStageName(words: readonly string[]): string | undefined {
  const [, as, name] = words;
  if (words.length === 3 && as?.toLowerCase() === 'as' && name !== undefined) {
    const lower = name.toLowerCase();
    if (stageName.test(lower)) return lower;
    throw new DockerfileError(
      `invalid name for build stage: ${quoted(name)}, name can't start with a number or contain symbols`,
    );
  }
  if (words.length !== 1) throw new DockerfileError('FROM requires either one or three arguments');
  return undefined;
}

function checkCasing({ name, words, location }: InstructionNode, checks: Checks): void {
  const [, as, stage] = words;
  if (as === undefined || stage === undefined) return;
  if (words.length === 3 && stage !== stage.toLowerCase()) {
    checks.report('StageNameCasing', location, `Stage name '${stage}' should be lowercase`);
  }
  const lower = name === name.toLowerCase();
  // Where FROM is written in both cases, the check of instructions speaks.
  if (!lower && name !== name.toUpperCase()) return;
  if (as === (lower ? as.toLowerCase() : as.toUpperCase())) return;
  checks.report('FromAsCasing', location, `'${as}' and '${name}' keywords' casing do not match`);
}

export function readFrom(node: InstructionNode, checks: Checks): FromInstruction {
  checkCasing(node, checks);
  const stage = readStageName(node.words);
  const { platform } = readFlags(node.flags, { platform: 'text' });
  return {
    kind: 'from',
    ...commonOf(node),
    image: node.words[0] ?? '',
    ...(stage !== undefined && { stage }),
    ...(platform !== undefined && platform !== '' && { platform }),
  };
}
