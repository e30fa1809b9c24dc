import { Checks } from '../checks/checks.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import { parseSyntax } from '../dockerfile/parse-syntax.ts';
import { readStageInstruction } from '../dockerfile/read-instruction.ts';
import type { WordExpander } from '../dockerfile/word-expander.ts';
import { linkCommand } from './make-stages.ts';
import type { StageList, StageNode } from './stage-node.ts';

/** What ONBUILD left for a stage: by the image it is FROM, or by the stage. */
function triggersOf(node: StageNode): readonly string[] {
  if (!node.base) return node.start?.config?.config?.OnBuild ?? [];
  return node.base.commands.flatMap(({ instruction }) =>
    instruction.kind === 'onbuild' ? [instruction.trigger] : [],
  );
}

/**
 * Puts the triggers of its base before a stage's own instructions, once. True when they take files from elsewhere,
 * so that more has to be resolved. Warnings about them belong to the base's author and are not given.
 */
export function readTriggers(list: StageList, expander: WordExpander, node: StageNode): boolean {
  if (node.triggersRead || node.isImplicit || node.context) return false;
  node.triggersRead = true;
  try {
    const commands = triggersOf(node).map((trigger) => {
      const [first, ...others] = parseSyntax(trigger).instructions;
      if (!first || others.length > 0) {
        throw new DockerfileError('onbuild trigger should be a single expression');
      }
      const instruction = readStageInstruction({ ...first, location: node.location }, new Checks());
      return linkCommand(list, expander, node, instruction, true);
    });
    node.commands = [...commands, ...node.commands];
    node.stepTotal += commands.length;
    if (node.start) node.start.state.image.config.OnBuild = undefined;
    return commands.some(({ sources }) => sources.length > 0);
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw new DockerfileError(error.message, [node.location]);
  }
}
