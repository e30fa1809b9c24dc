import type { Checks } from '../checks/checks.ts';
import { quoted } from './go-text.ts';
import { readHealthcheck } from './read-healthcheck.ts';
import { readFlags } from './flags.ts';
import type { ArgDeclaration, Instruction, StageInstruction } from './instruction.ts';
import type { InstructionNode } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import { readFrom } from './read-from.ts';
import { atLeastOne, commonOf, exactlyOne } from './read-common.ts';
import { readRun, shellForm } from './read-run.ts';
import { readAdd, readCopy } from './read-transfer.ts';
import { withSuggestion } from './suggestion.ts';
import { trim } from '#kernel';

type Reader = (node: InstructionNode, checks: Checks) => Instruction;

const readAssignments =
  (kind: 'env' | 'label'): Reader =>
  (node) => {
    const instruction = kind.toUpperCase();
    readFlags(node.flags, {});
    if (node.assignments.length === 0) throw atLeastOne(instruction);
    if (node.assignments.some(({ key }) => key === '')) {
      throw new DockerfileError(`${instruction} names can not be blank`);
    }
    return { kind, ...commonOf(node), assignments: node.assignments };
  };

const readValue =
  (kind: 'user' | 'workdir' | 'stopsignal' | 'maintainer'): Reader =>
  (node, checks) => {
    if (kind === 'maintainer') {
      const message = 'Maintainer instruction is deprecated in favor of using label';
      checks.report('MaintainerDeprecated', node.location, message);
    }
    const value = exactlyOne(node, kind.toUpperCase());
    // STOPSIGNAL has never looked at its flags.
    if (kind !== 'stopsignal') readFlags(node.flags, {});
    return { kind, ...commonOf(node), value };
  };

const readCommand =
  (kind: 'cmd' | 'entrypoint'): Reader =>
  (node) => {
    readFlags(node.flags, {});
    return { kind, ...commonOf(node), command: shellForm(node) };
  };

const readExpose: Reader = (node) => {
  if (node.words.length === 0) throw atLeastOne('EXPOSE');
  readFlags(node.flags, {});
  return { kind: 'expose', ...commonOf(node), ports: node.words.toSorted() };
};

const readVolume: Reader = (node) => {
  if (node.words.length === 0) throw atLeastOne('VOLUME');
  readFlags(node.flags, {});
  const paths = node.words.map(trim);
  if (paths.includes('')) throw new DockerfileError('VOLUME specified can not be an empty string');
  return { kind: 'volume', ...commonOf(node), paths };
};

const readShell: Reader = (node) => {
  readFlags(node.flags, {});
  if (node.words.length === 0) throw atLeastOne('SHELL');
  if (!node.json) {
    throw new DockerfileError('SHELL requires the arguments to be in JSON form');
  }
  return { kind: 'shell', ...commonOf(node), shell: node.words };
};

const readOnBuild: Reader = (node) => {
  const { trigger } = node;
  if (!trigger) throw atLeastOne('ONBUILD');
  readFlags(node.flags, {});
  const name = trim(trigger.name).toUpperCase();
  if (name === 'ONBUILD') {
    throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (name === 'MAINTAINER' || name === 'FROM') {
    throw new DockerfileError(`${name} isn't allowed as an ONBUILD trigger`);
  }
  const heredocs = node.heredocs.map(({ content, name: end }) => `\n${content}${end}`);
  const text = node.text.replace(/^\s*onbuild\s*/i, '') + heredocs.join('');
  return { kind: 'onbuild', ...commonOf(node), trigger: text };
};

/** What stands behind `name ` in the comments above. */
export const descriptionOf = (comments: readonly string[], name: string): string =>
  name === '' ? '' : (comments.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '');

function checkDescription(node: InstructionNode, names: readonly string[], checks: Checks): void {
  const last = node.comments.at(-1);
  const [first = ''] = names;
  if (last === undefined || names.length === 0 || names.includes(last.split(' ', 1)[0] ?? '')) return;
  const example = names.length > 1 ? '<arg_key>' : first;
  const instruction = node.name.toUpperCase();
  checks.report(
    'InvalidDefinitionDescription',
    node.location,
    `Comment for ${instruction} should follow the format: \`# ${example} <description>\``,
  );
}

const readArg: Reader = (node, checks) => {
  if (node.words.length === 0) throw atLeastOne('ARG');
  const declared = node.words.map((word): ArgDeclaration => {
    const at = word.indexOf('=');
    if (at === 0) throw new DockerfileError('ARG names can not be blank');
    const name = at === -1 ? word : word.slice(0, at);
    const value = at === -1 ? undefined : word.slice(at + 1);
    return { name, value, description: descriptionOf(node.comments, name) };
  });
  checkDescription(
    node,
    declared.map(({ name }) => name),
    checks,
  );
  return { kind: 'arg', ...commonOf(node), arguments: declared };
};

const readStart: Reader = (node, checks) => {
  const from = readFrom(node, checks);
  if (from.stage === undefined) return from;
  checkDescription(node, [from.stage], checks);
  const description = descriptionOf(node.comments, from.stage);
  return description === '' ? from : { ...from, description };
};

const readers: Readonly<Record<string, Reader>> = {
  add: readAdd,
  arg: readArg,
  cmd: readCommand('cmd'),
  copy: readCopy,
  entrypoint: readCommand('entrypoint'),
  env: readAssignments('env'),
  expose: readExpose,
  from: readStart,
  healthcheck: readHealthcheck,
  label: readAssignments('label'),
  maintainer: readValue('maintainer'),
  onbuild: readOnBuild,
  run: readRun,
  shell: readShell,
  stopsignal: readValue('stopsignal'),
  user: readValue('user'),
  volume: readVolume,
  workdir: readValue('workdir'),
};

/** Gives a node its type. Throws DockerfileError, without a location, for arguments that the instruction cannot have. */
export function readInstruction(node: InstructionNode, checks: Checks): Instruction {
  const name = node.name.toLowerCase();
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (reader) return reader(node, checks);
  const choices = Object.keys(readers);
  throw new DockerfileError(
    withSuggestion(`unknown instruction: ${node.name}`, node.name, choices, { caseSensitive: false }),
  );
}

/** readInstruction() for what stands within a stage. */
export function readStageInstruction(node: InstructionNode, checks: Checks): StageInstruction {
  const instruction = readInstruction(node, checks);
  if (instruction.kind !== 'from') return instruction;
  throw new DockerfileError(`${quoted(node.text)} cannot stand here`);
}
