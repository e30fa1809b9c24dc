import { quoted } from '../dockerfile/go-text.ts';
import type { Location } from '../dockerfile/location.ts';
import type { Stage } from '../dockerfile/instruction.ts';
import type { Checks } from './checks.ts';

const reserved = new Set(['context', 'scratch']);

function checkNames(stages: readonly Stage[], checks: Checks): void {
  const seen = new Set<string>();
  for (const { from } of stages) {
    const { stage: name, location } = from;
    if (name === undefined) continue;
    if (reserved.has(name)) {
      const message = `Stage name should not use the same name as reserved stage ${quoted(name)}`;
      checks.report('ReservedStageName', location, message);
    }
    if (seen.has(name)) {
      const message = `Duplicate stage name ${quoted(name)}, stage names should be unique`;
      checks.report('DuplicateStageName', location, message);
    }
    seen.add(name);
  }
}

interface Named {
  readonly name: string;
  readonly location: Location;
}

/** Most instructions say whether the file is in upper or lower case; upper where they balance. */
function checkCasing(stages: readonly Stage[], checks: Checks): void {
  const all = stages.flatMap(({ from, instructions }): Named[] => [from, ...instructions]);
  const lower = all.filter(({ name }) => name === name.toLowerCase()).length;
  const upper = all.filter(({ name }) => name === name.toUpperCase()).length;
  const [wanted, fold] =
    lower > upper
      ? (['lowercase', (name: string) => name.toLowerCase()] as const)
      : (['uppercase', (name: string) => name.toUpperCase()] as const);
  for (const { name, location } of all) {
    if (name === fold(name)) continue;
    const message = `Command '${name}' should match the case of the command majority (${wanted})`;
    checks.report('ConsistentInstructionCasing', location, message);
  }
}

/** Checks of a whole file that need neither variables nor images. */
export function checkStages(stages: readonly Stage[], checks: Checks): void {
  checkNames(stages, checks);
  checkCasing(stages, checks);
}
