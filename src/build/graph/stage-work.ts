import { formatPlatform } from '#oci';
import type { Checks } from '../checks/checks.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import { suggestion } from '../dockerfile/suggestion.ts';
import type { Environment, Variables } from '../dockerfile/variables.ts';
import { ExpansionError } from '../dockerfile/word-expander.ts';
import type { Expansion, WordExpander } from '../dockerfile/word-expander.ts';
import type { GraphBuilder, Step } from './graph-builder.ts';
import type { PlanOptions } from './plan-options.ts';
import type { StageNode } from './stage-node.ts';
import type { StageState } from './stage-state.ts';
import { targetSuffix } from './target-suffix.ts';

/** What is the same for all stages of a build. */
export interface BuildWork {
  readonly graph: GraphBuilder;
  readonly checks: Checks;
  readonly options: PlanOptions;
  readonly expander: WordExpander;
  readonly escape: string;
  readonly globalArguments: Environment;
  /** Whether .dockerignore leaves a path of the build context out. */
  readonly isIgnored: (path: string) => boolean;
}

/** A stage while its instructions are applied. */
export interface StageWork {
  readonly node: StageNode;
  readonly state: StageState;
  readonly build: BuildWork;
  /** Paths of the build context that this stage reads. */
  readonly contextPaths: Set<string>;
  readonly ignoreCache: boolean;
  /** Steps named so far. */
  stepNumber: number;
}

/** Arguments that steer the build and are in no environment. */
export const steering = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

/** Warns of names that nothing has set: neither the environment nor an ARG without a value. */
function reportUnset(work: StageWork, instruction: StageInstruction, unmatched: Iterable<string>): void {
  const declared = new Set(work.state.buildArguments.map(({ name }) => name));
  for (const name of unmatched) {
    if (declared.has(name) || steering.has(name)) continue;
    const meant = suggestion(name, work.state.environment.keys(), { caseSensitive: true });
    const hint = meant === undefined ? '' : ` (did you mean $${meant}?)`;
    const message = `Usage of undefined variable '$${name}'${hint}`;
    work.build.checks.report('UndefinedVar', instruction.location, message);
  }
}

/** Expands with the stage's variables; what is not set is warned of, also where the word is refused. */
export function expansionOf(
  work: StageWork,
  instruction: StageInstruction,
  word: string,
  expander: WordExpander = work.build.expander,
): Expansion {
  try {
    const expansion = expander.expand(word, work.state.environment);
    reportUnset(work, instruction, expansion.unmatched);
    return expansion;
  } catch (error) {
    if (error instanceof ExpansionError) reportUnset(work, instruction, error.unmatched);
    throw error;
  }
}

/** A word of an instruction with the stage's variables. */
export const expandWord = (
  work: StageWork,
  instruction: StageInstruction,
  word: string,
  expander?: WordExpander,
): string => (word === '' ? '' : expansionOf(work, instruction, word, expander).text);

/** The text as progress shows it: variables expanded where that can be done. */
export function shownText(text: string, expander: WordExpander, variables: Variables): string {
  let expanded = text;
  try {
    expanded = expander.expand(text, variables).text;
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
  }
  const [first = ''] = expanded.split(' ', 1);
  return first.toUpperCase() + expanded.slice(first.length);
}

/** `[linux/amd64 build 2/4] ` */
function stepPrefix(work: StageWork): string {
  const { node, state, build } = work;
  if (node.stepTotal === 0) return '';
  const platform =
    build.options.multiPlatform === true
      ? `${formatPlatform(state.platform)}${targetSuffix(state.platform, state.environment)} `
      : '';
  const title = node.title === '' ? '' : `${node.title} `;
  const number = String(work.stepNumber).padStart(String(node.stepTotal).length);
  return `[${platform}${title}${number}/${node.stepTotal}] `;
}

/** What the graph keeps about the next step of a stage. */
export function nextStep(
  work: StageWork,
  instruction: StageInstruction,
  text: string,
  isTrigger: boolean,
): Step {
  work.stepNumber++;
  return {
    name: `${stepPrefix(work)}${isTrigger && work.node.stepTotal > 0 ? 'ONBUILD ' : ''}${text}`,
    stage: work.node.title,
    instruction: instruction.text,
    location: instruction.location,
    ignoreCache: work.ignoreCache,
    buildArguments: {},
  };
}
