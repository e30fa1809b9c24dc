import { parsePlatform } from '#oci';
import type { Platform } from '#oci';
import type { Checks } from '../checks/checks.ts';
import type { FromInstruction, Stage, StageInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError, locating } from '../dockerfile/location.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';
import { mountOrigin } from '../dockerfile/run-mount.ts';
import { suggestion, withSuggestion } from '../dockerfile/suggestion.ts';
import { noVariables } from '../dockerfile/variables.ts';
import type { Expansion, WordExpander } from '../dockerfile/word-expander.ts';
import type { BuildPlatforms, GlobalArguments } from './global-arguments.ts';
import { findNamedContext } from './named-context.ts';
import type { PlanOptions } from './plan-options.ts';
import { StageList, StageNode } from './stage-node.ts';
import type { StageCommand } from './stage-node.ts';

export interface StageInputs {
  readonly expander: WordExpander;
  readonly globals: GlobalArguments;
  readonly platforms: BuildPlatforms;
  readonly options: PlanOptions;
  readonly checks: Checks;
}

/** Warns of names in FROM that no ARG before it declares. */
function reportUndeclared({ globals, checks }: StageInputs, from: FromInstruction, found: Expansion): void {
  const known = new Set([...globals.declared.keys(), ...globals.values.keys()]);
  for (const name of found.unmatched) {
    if (known.has(name)) continue;
    const meant = suggestion(name, known, { caseSensitive: true });
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    const message = `FROM argument '${name}' is not declared${hint}`;
    checks.report('UndefinedArgInFrom', from.location, message);
  }
}

function checkPlatform(inputs: StageInputs, from: FromInstruction, found: Expansion): void {
  const { checks, globals } = inputs;
  const { location, platform = '', stage = '' } = from;
  const [only, ...others] = found.matched;
  if (only === 'TARGETPLATFORM' && others.length + found.unmatched.size === 0) {
    if (found.text === globals.values.get(only)) {
      const message = `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`;
      checks.report('RedundantTargetPlatform', location, message);
    }
  }
  if (found.matched.size + found.unmatched.size > 0) return;
  let constant: Platform;
  try {
    constant = parsePlatform(found.text);
  } catch {
    return;
  }
  if (stage.includes(constant.os) || stage.includes(constant.architecture)) return;
  const message = `FROM --platform flag should not use constant value "${found.text}"`;
  checks.report('FromPlatformFlagConstDisallowed', location, message);
}

function readPlatform(inputs: StageInputs, from: FromInstruction, written: string): Platform {
  const { expander, globals } = inputs;
  const found = expander.expand(written, globals.values);
  reportUndeclared(inputs, from, found);
  checkPlatform(inputs, from, found);
  const fail = (message: string): DockerfileError => {
    const names = [...globals.values.keys()];
    const hint = [...found.unmatched]
      .map((name) => withSuggestion(message, name, names, { caseSensitive: true }))
      .find((text) => text !== message);
    return new DockerfileError(hint ?? message);
  };
  if (found.text === '') throw fail(`empty platform value from expression ${written}`);
  try {
    return parsePlatform(found.text);
  } catch (error) {
    const { message } = fail(error instanceof Error ? error.message : String(error));
    throw new DockerfileError(`failed to parse platform ${written}: ${message}`);
  }
}

function makeNode(
  inputs: StageInputs,
  { from, instructions }: Stage,
): { node: StageNode; used: Set<string> } {
  const { expander, globals, options, platforms } = inputs;
  const image = expander.expand(from.image, globals.values);
  reportUndeclared(inputs, from, image);
  if (image.text === '') throw new DockerfileError(`base name (${from.image}) should not be blank`);
  const node = new StageNode(image.text, from, from.location, instructions);
  if (from.platform !== undefined) node.platform = readPlatform(inputs, from, from.platform);
  if (node.name !== '') {
    const platform = node.platform ?? platforms.target;
    node.context = findNamedContext(options.contexts ?? {}, node.name, platform);
  }
  return { node, used: new Set(image.matched) };
}

const countsAsStep = ({ kind }: StageInstruction): boolean =>
  kind === 'add' || kind === 'copy' || kind === 'run' || kind === 'workdir';

/** The stages of a file in their order, with their bases among each other; no instruction is looked at yet. */
export function makeStages(inputs: StageInputs, dockerfile: Dockerfile): StageList {
  const list = new StageList();
  dockerfile.stages.forEach((stage, index) => {
    const { node, used } = locating(stage.from.location, () => makeNode(inputs, stage));
    for (const argument of inputs.globals.declared.values())
      node.outline.declared.set(argument.name, argument);
    list.add(node);
    if (node.context) node.base = undefined;
    node.title = node.name || `stage-${index}`;
    for (const name of used) node.outline.used.add(name);
    const hasBase = node.image !== 'scratch' && !node.base;
    node.stepTotal = (hasBase ? 1 : 0) + stage.instructions.filter(countsAsStep).length;
  });
  return list;
}

function sourceOfCopy(
  list: StageList,
  expander: WordExpander,
  from: string,
  command: StageInstruction,
): StageNode {
  if (expander.expand(from, noVariables).text !== from) {
    throw new DockerfileError(
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    );
  }
  if (/^[+-]?\d+$/.test(from)) return list.at(Number(from));
  return list.find(from) ?? new StageNode(from, undefined, command.location);
}

/** An instruction with what it takes files from; stages come into the list as they are met. */
export function linkCommand(
  list: StageList,
  expander: WordExpander,
  node: StageNode,
  instruction: StageInstruction,
  isTrigger = false,
): StageCommand {
  const sources: (StageNode | undefined)[] = [];
  if (instruction.kind === 'copy' && instruction.from !== '') {
    sources.push(sourceOfCopy(list, expander, instruction.from, instruction));
  } else if (instruction.kind === 'run') {
    for (const mount of instruction.mounts) {
      const from = mountOrigin(mount);
      sources.push(
        from === '' ? undefined : (list.find(from) ?? new StageNode(from, undefined, instruction.location)),
      );
    }
  }
  for (const source of sources) {
    if (!source) continue;
    node.dependencies.set(source, instruction.location);
    if (source.isImplicit && !list.nodes.includes(source)) list.add(source);
  }
  return { instruction, sources, isTrigger };
}
