import { readFlags } from './flags.ts';
import { parseDuration, quoted } from './go-text.ts';
import type { HealthcheckInstruction } from './instruction.ts';
import type { InstructionNode } from './instruction-node.ts';
import { DockerfileError } from './location.ts';
import { atLeastOne, commonOf } from './read-common.ts';

const oneMillisecond = 1_000_000n;
const known = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

function interval(name: string, text: string | undefined): bigint {
  if (text === undefined || text === '') return 0n;
  const read = parseDuration(text);
  if ('problem' in read) throw new DockerfileError(read.problem);
  if (read.nanoseconds !== 0n && read.nanoseconds < oneMillisecond) {
    throw new DockerfileError(`Interval ${quoted(name)} cannot be less than 1ms`);
  }
  return read.nanoseconds;
}

function retries(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const failed = (reason: string): DockerfileError =>
    new DockerfileError(`strconv.ParseInt: parsing ${quoted(text)}: ${reason}`);
  if (!/^[+-]?\d+$/.test(text)) throw failed('invalid syntax');
  const value = Number(text);
  if (value >= 2 ** 31 || value < -(2 ** 31)) throw failed('value out of range');
  if (value < 0) throw new DockerfileError(`--retries cannot be negative (${value})`);
  return value;
}

function test(node: InstructionNode, type: string): string[] {
  if (type !== 'CMD') {
    throw new DockerfileError(`Unknown type ${quoted(type)} in HEALTHCHECK (try CMD)`);
  }
  const command = node.words.slice(1);
  if (command.length === 0) throw new DockerfileError('Missing command after HEALTHCHECK CMD');
  return [node.json ? 'CMD' : 'CMD-SHELL', ...command];
}

export function readHealthcheck(node: InstructionNode): HealthcheckInstruction {
  const [first] = node.words;
  if (first === undefined) throw atLeastOne('HEALTHCHECK');
  const common = { kind: 'healthcheck' as const, ...commonOf(node) };
  const type = first.toUpperCase();
  if (type === 'NONE') {
    if (node.words.length > 1) throw new DockerfileError('HEALTHCHECK NONE takes no arguments');
    const unset = { interval: 0n, timeout: 0n, startPeriod: 0n, startInterval: 0n, retries: 0 };
    return { ...common, test: [type], ...unset };
  }
  const flags = readFlags(node.flags, known);
  return {
    ...common,
    test: test(node, type),
    interval: interval('interval', flags.interval),
    timeout: interval('timeout', flags.timeout),
    startPeriod: interval('start-period', flags['start-period']),
    startInterval: interval('start-interval', flags['start-interval']),
    retries: retries(flags.retries),
  };
}
