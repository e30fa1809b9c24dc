import type { Solved } from './solve.ts';
import { explainOption } from './frontend-options.ts';

interface Explanation {
  readonly instruction: string;
  readonly reason: string;
  readonly hint?: string;
}

/** Why steps were done, for people; undefined where the engine does not say. */
export function explanationText({ response }: Pick<Solved, 'response'>): string | undefined {
  const answer = response[explainOption];
  if (answer === undefined) return undefined;
  // The engine's own words.
  const explanations = JSON.parse(answer) as readonly Explanation[];
  if (explanations.length === 0) return '\nNothing was done again: every step was in the cache.\n';
  const rows = explanations.map(
    ({ instruction, reason, hint }) =>
      ` => ${instruction.split('\n', 1)[0] ?? ''}\n    ${reason}\n${hint === undefined ? '' : `    hint: ${hint}\n`}`,
  );
  const count = explanations.length === 1 ? 'One step was' : `${explanations.length} steps were`;
  return `\n${count} done:\n${rows.join('')}`;
}
