import { isSecretName } from '../checks/secret-names.ts';
import { constants } from 'node:os';
import { posix } from 'node:path';
import { durationText, plainList, quoted, quotedList, quotedNumber } from '../dockerfile/go-text.ts';
import type {
  AssignmentInstruction,
  CommandInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  ValueInstruction,
  VolumeInstruction,
} from '../dockerfile/instruction.ts';
import type { Assignment } from '../dockerfile/instruction-node.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import { splitAssignment } from '../dockerfile/variables.ts';
import { parseExposedPort } from './ports.ts';
import { expandWord, nextStep, shownText } from './stage-work.ts';
import type { StageWork } from './stage-work.ts';

/** Warns of names under which secrets are kept. */
export function checkSecret(
  work: StageWork,
  instruction: Pick<AssignmentInstruction, 'location'>,
  what: 'ARG' | 'ENV',
  name: string,
): void {
  if (!isSecretName(name)) return;
  const message = `Do not use ARG or ENV instructions for sensitive data (${what} ${quoted(name)})`;
  work.build.checks.report('SecretsUsedInArgOrEnv', instruction.location, message);
}

/** Sets `NAME=value` in a list of such, in place where the name is there. */
function setInList(list: string[], name: string, value: string): void {
  const at = list.findIndex((text) => splitAssignment(text)[0] === name);
  if (at === -1) list.push(`${name}=${value}`);
  else list[at] = `${name}=${value}`;
}

export function applyAssignments(work: StageWork, instruction: AssignmentInstruction): void {
  const { state } = work;
  // All see the values from before the instruction.
  const expanded = instruction.assignments.map(({ key, value, legacy }): Assignment => ({
    key: expandWord(work, instruction, key),
    value: expandWord(work, instruction, value),
    legacy,
  }));
  for (const { key, value, legacy } of expanded) {
    if (legacy) {
      const form = `"${instruction.name} key=value" should be used instead of legacy`;
      const message = `${form} "${instruction.name} key value" format`;
      work.build.checks.report('LegacyKeyValueFormat', instruction.location, message);
    }
    if (instruction.kind === 'label') {
      state.image.config.Labels = { ...state.image.config.Labels, [key]: value };
      continue;
    }
    checkSecret(work, instruction, 'ENV', key);
    state.setVariable(key, value);
    setInList(state.image.config.Env, key, value);
  }
  const shown = expanded.map(({ key, value }) => ` ${key}=${value}`).join('');
  state.record(`${instruction.kind.toUpperCase()}${shown}`);
}

/** Warns where an earlier instruction of the same kind is without effect. */
function checkSingle(work: StageWork, instruction: CommandInstruction | HealthcheckInstruction): void {
  const earlier = work.state.seen.get(instruction.kind);
  if (earlier) {
    const message = `Multiple ${instruction.name} instructions should not be used in the same stage because only the last one will be used`;
    work.build.checks.report('MultipleInstructionsDisallowed', earlier, message);
  }
  work.state.seen.set(instruction.kind, instruction.location);
}

/** The shell of the stage before the words. */
export function behindShell({ state }: StageWork, words: readonly string[]): string[] {
  const { Shell } = state.image.config;
  const fallback = state.image.platform.os === 'windows' ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c'];
  return [...(Shell && Shell.length > 0 ? Shell : fallback), words.join(' ')];
}

export function applyCommand(work: StageWork, instruction: CommandInstruction): void {
  const { config } = work.state.image;
  checkSingle(work, instruction);
  const { words, shell } = instruction.command;
  if (shell && (config.Shell ?? []).length === 0) {
    const message = `JSON arguments recommended for ${instruction.name} to prevent unintended behavior related to OS signals`;
    work.build.checks.report('JSONArgsRecommended', instruction.location, message);
  }
  const args = shell ? behindShell(work, words) : [...words];
  if (instruction.kind === 'cmd') {
    config.Cmd = args;
    config.ArgsEscaped = true;
  } else {
    config.Entrypoint = args;
    // What the base image would have run is no argument of this one.
    if (!work.state.seen.has('cmd')) config.Cmd = undefined;
  }
  work.state.record(`${instruction.kind.toUpperCase()} ${quotedList(args)}`);
}

export function applyHealthcheck(work: StageWork, instruction: HealthcheckInstruction): void {
  checkSingle(work, instruction);
  const { test, interval, timeout, startPeriod, startInterval, retries } = instruction;
  work.state.image.config.Healthcheck = {
    Test: test,
    ...(interval !== 0n && { Interval: Number(interval) }),
    ...(timeout !== 0n && { Timeout: Number(timeout) }),
    ...(startPeriod !== 0n && { StartPeriod: Number(startPeriod) }),
    ...(startInterval !== 0n && { StartInterval: Number(startInterval) }),
    ...(retries !== 0 && { Retries: retries }),
  };
  const times = [interval, timeout, startPeriod, startInterval].map((time) => quoted(durationText(time)));
  const shown = [quotedList(test), ...times, quotedNumber(retries)].join(' ');
  work.state.record(`HEALTHCHECK &{${shown}}`);
}

export function applyExpose(work: StageWork, instruction: ExposeInstruction): void {
  const { config } = work.state.image;
  const words = instruction.ports.flatMap(
    (port) => work.build.expander.expand(port, work.state.environment).words,
  );
  const ports = words.flatMap((word) => parseExposedPort(word, instruction.location, work.build.checks));
  config.ExposedPorts = {
    ...config.ExposedPorts,
    ...Object.fromEntries(ports.map((port) => [port, {}])),
  };
  work.state.record(`EXPOSE ${plainList(ports)}`);
}

export function applyVolume(work: StageWork, instruction: VolumeInstruction): void {
  const { config } = work.state.image;
  const paths = instruction.paths.map((path) => expandWord(work, instruction, path));
  if (paths.includes('')) throw new DockerfileError('VOLUME specified can not be an empty string');
  config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  work.state.record(`VOLUME ${plainList(paths)}`);
}

const signals = new Set<string>([
  ...Object.keys(constants.signals).map((name) => name.slice(3)),
  ...Array.from({ length: 15 }, (_, index) => `RTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `RTMAX-${index + 1}`),
  ...['RTMIN', 'RTMAX', 'CLD'],
]);

function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0;
  return signals.has(text.toUpperCase().replace(/^SIG/, ''));
}

/** Where a path leads from the stage's working folder. */
export const inDirectory = (directory: string, path: string): string =>
  path.startsWith('/') ? path : posix.resolve('/', directory, path);

function applyWorkdir(work: StageWork, instruction: ValueInstruction, isTrigger: boolean): void {
  const { state, build } = work;
  const path = expandWord(work, instruction, instruction.value);
  if (!state.hasWorkdir && !path.startsWith('/')) {
    const message = `Relative workdir ${quoted(path)} can have unexpected results if the base image changes`;
    build.checks.report('WorkdirRelativePath', instruction.location, message);
  }
  state.hasWorkdir = true;
  const directory = inDirectory(state.image.config.WorkingDir || '/', path);
  state.image.config.WorkingDir = directory;
  state.directory = directory;
  if (directory !== '/') {
    const shown = shownText(instruction.text, build.expander, state.environment);
    const owner = state.image.config.User;
    state.root = build.graph.add(
      {
        kind: 'file',
        base: state.root,
        actions: [{ kind: 'mkdir', path: directory, mode: 0o755, owner }],
        platform: state.platform,
      },
      nextStep(work, instruction, shown, isTrigger),
    );
  }
  state.record(`WORKDIR ${directory}`, directory !== '/');
}

export function applyValue(work: StageWork, instruction: ValueInstruction, isTrigger: boolean): void {
  const { image } = work.state;
  switch (instruction.kind) {
    case 'maintainer':
      image.author = instruction.value;
      work.state.record(`MAINTAINER ${instruction.value}`);
      break;
    case 'user':
      image.config.User = expandWord(work, instruction, instruction.value);
      work.state.record(`USER ${image.config.User}`);
      break;
    case 'stopsignal': {
      const signal = expandWord(work, instruction, instruction.value);
      if (!isSignal(signal)) throw new DockerfileError(`invalid signal: ${signal}`);
      image.config.StopSignal = signal;
      work.state.record(`STOPSIGNAL ${signal}`);
      break;
    }
    case 'workdir':
      applyWorkdir(work, instruction, isTrigger);
      break;
  }
}
