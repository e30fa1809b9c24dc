import type { ArgDeclaration, ArgInstruction } from '../dockerfile/instruction.ts';
import { checkSecret } from './apply-metadata.ts';
import { expansionOf, steering } from './stage-work.ts';
import type { StageWork } from './stage-work.ts';

interface Resolution {
  readonly value: string | undefined;
  /** Nothing here says more than what stands before the first FROM. */
  readonly isInherited: boolean;
}

/** The build's own value wins, then the one given here, then the global one of the same name. */
function resolve(work: StageWork, instruction: ArgInstruction, argument: ArgDeclaration): Resolution {
  const { options, globalArguments } = work.build;
  const given = options.buildArguments ?? {};
  if (Object.hasOwn(given, argument.name)) return { value: given[argument.name], isInherited: false };
  if (argument.value === undefined) {
    const value = globalArguments.get(argument.name);
    return { value, isInherited: value !== undefined };
  }
  const { text } = expansionOf(work, instruction, argument.value);
  return { value: text, isInherited: false };
}

export function applyArg(work: StageWork, instruction: ArgInstruction): void {
  const { state, node } = work;
  const shown = instruction.arguments.map((argument) => {
    const { name, description } = argument;
    checkSecret(work, instruction, 'ARG', name);
    const { value, isInherited } = resolve(work, instruction, argument);
    if (value !== undefined && !steering.has(name)) state.setVariable(name, value);
    if (!isInherited) {
      const { location } = instruction;
      const dependencies = new Set<string>();
      node.outline.declared.set(name, { name, value: value ?? '', description, location, dependencies });
    }
    node.outline.used.add(name);
    state.buildArguments.push({ name, value });
    return value === undefined ? name : `${name}=${value}`;
  });
  state.record(`ARG ${shown.join(' ')}`);
}
