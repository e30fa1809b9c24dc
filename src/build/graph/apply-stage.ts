import type { StageInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError, locating } from '../dockerfile/location.ts';
import { environmentOf } from '../dockerfile/variables.ts';
import { applyArg } from './apply-arg.ts';
import {
  applyAssignments,
  applyCommand,
  applyExpose,
  applyHealthcheck,
  applyValue,
  applyVolume,
} from './apply-metadata.ts';
import { applyRun } from './apply-run.ts';
import { applyTransfer } from './apply-transfer.ts';
import { plainList } from '../dockerfile/go-text.ts';
import { inDirectory } from './apply-metadata.ts';
import { defaultPath } from './plan-options.ts';
import type { StageCommand, StageNode } from './stage-node.ts';
import type { StageState } from './stage-state.ts';
import type { BuildWork, StageWork } from './stage-work.ts';
import type { FileSystem, VertexId } from './vertex.ts';

type Kind = StageInstruction['kind'];
type OfKind<K extends Kind> = Extract<StageInstruction, { readonly kind: K }>;
type Applier<K extends Kind> = (
  work: StageWork,
  command: StageCommand & { readonly instruction: OfKind<K> },
) => void;

const appliers: { readonly [K in Kind]: Applier<K> } = {
  run: applyRun,
  copy: applyTransfer,
  add: applyTransfer,
  arg: (work, { instruction }) => applyArg(work, instruction),
  env: (work, { instruction }) => applyAssignments(work, instruction),
  label: (work, { instruction }) => applyAssignments(work, instruction),
  cmd: (work, { instruction }) => applyCommand(work, instruction),
  entrypoint: (work, { instruction }) => applyCommand(work, instruction),
  healthcheck: (work, { instruction }) => applyHealthcheck(work, instruction),
  expose: (work, { instruction }) => applyExpose(work, instruction),
  volume: (work, { instruction }) => applyVolume(work, instruction),
  user: (work, { instruction, isTrigger }) => applyValue(work, instruction, isTrigger),
  workdir: (work, { instruction, isTrigger }) => applyValue(work, instruction, isTrigger),
  stopsignal: (work, { instruction, isTrigger }) => applyValue(work, instruction, isTrigger),
  maintainer: (work, { instruction, isTrigger }) => applyValue(work, instruction, isTrigger),
  shell: ({ state }, { instruction }) => {
    state.image.config.Shell = [...instruction.shell];
    state.record(`SHELL ${plainList(instruction.shell)}`);
  },
  onbuild: ({ state }, { instruction }) => {
    const { config } = state.image;
    config.OnBuild = [...(config.OnBuild ?? []), instruction.trigger];
  },
};

function apply(work: StageWork, command: StageCommand): void {
  // The table's keys say that each function takes the instruction that it is looked up for.
  const applier = appliers[command.instruction.kind] as Applier<Kind>;
  applier(work, command);
}

function beginning(node: StageNode): StageState {
  const state = node.base?.state?.derive() ?? node.start?.state;
  if (!state) throw new DockerfileError(`stage ${node.title} has no base`, [node.location]);
  const { config } = state.image;
  if (!environmentOf(config.Env).has('PATH') && state.platform.os !== 'windows') {
    config.Env.push(`PATH=${defaultPath}`);
    state.setVariable('PATH', defaultPath);
  }
  if (config.WorkingDir !== '') {
    config.WorkingDir = inDirectory('/', config.WorkingDir);
    state.directory = config.WorkingDir;
  }
  return state;
}

const isNoCache = ({ noCache }: BuildWork['options'], name: string): boolean =>
  noCache === 'all' ||
  (noCache !== undefined &&
    noCache.some((one) => one === '' || (name !== '' && one.toLowerCase() === name.toLowerCase())));

const vertexOf = (system: FileSystem): VertexId | undefined => (system === 'scratch' ? undefined : system);

/** Applies a stage's instructions to what it begins with; answers with the paths of the build context it reads. */
export function applyStage(node: StageNode, build: BuildWork): ReadonlySet<string> {
  const contextPaths = new Set<string>();
  const state = beginning(node);
  if (node.base) node.paths = node.base.paths;
  node.platform = state.platform;
  const isReplaced = node.context !== undefined;
  if (!isReplaced && !node.isImplicit) {
    const work: StageWork = {
      ...{ node, state, build, contextPaths },
      ignoreCache: isNoCache(build.options, node.name),
      // The base counts as a step where it has to be fetched.
      stepNumber: node.start?.config && state.root !== 'scratch' ? 1 : 0,
    };
    // What the base does is told of the base.
    node.course.push({ text: node.from?.text ?? '', work: node.base ? undefined : vertexOf(state.root) });
    for (const command of node.commands) {
      const before = state.root;
      locating(command.instruction.location, () => apply(work, command));
      if (command.isTrigger) continue;
      const hasWork = state.root !== before;
      node.course.push({ text: command.instruction.text, work: hasWork ? vertexOf(state.root) : undefined });
    }
  }
  node.state = state;
  return contextPaths;
}
