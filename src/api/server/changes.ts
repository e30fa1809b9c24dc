import { split as splitWords } from 'shlex';
import { invalidArgument } from '#kernel';
import type { HealthcheckConfig, ImageRuntimeConfig } from '#oci';
import { parseDuration } from './timestamps.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Change = (config: Mutable<ImageRuntimeConfig>, text: string) => void;

/** Dockerfile instructions that only alter the configuration (`--change` of commit and import). */
const changes: Readonly<Record<string, Change>> = {
  CMD: (config, text) => {
    config.Cmd = command(text);
  },
  ENTRYPOINT: (config, text) => {
    config.Entrypoint = command(text);
  },
  ENV: (config, text) => {
    for (const [name, value] of pairs('ENV', text)) {
      const others = (config.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`));
      config.Env = [...others, `${name}=${value}`];
    }
  },
  LABEL: (config, text) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs('LABEL', text)) };
  },
  EXPOSE: (config, text) => {
    const ports = words(text).map(
      (port) => [port.includes('/') ? port.toLowerCase() : `${port}/tcp`, {}] as const,
    );
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports) };
  },
  VOLUME: (config, text) => {
    const paths = list(text) ?? words(text);
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  },
  USER: (config, text) => {
    config.User = text;
  },
  WORKDIR: (config, text) => {
    config.WorkingDir = text.startsWith('/') ? text : `${config.WorkingDir ?? ''}/${text}`;
  },
  STOPSIGNAL: (config, text) => {
    config.StopSignal = text;
  },
  ONBUILD: (config, text) => {
    config.OnBuild = [...(config.OnBuild ?? []), text];
  },
  HEALTHCHECK: (config, text) => {
    config.Healthcheck = healthcheck(text);
  },
};

/** The configuration with `--change` instructions applied in order. Throws invalidArgument. */
export function applyChanges(
  config: ImageRuntimeConfig,
  instructions: readonly string[],
): ImageRuntimeConfig {
  const changed: Mutable<ImageRuntimeConfig> = { ...config };
  for (const line of instructions.flatMap((instruction) => instruction.split('\n'))) {
    const match = /^\s*(\w+)(?:\s+(.*?))?\s*$/s.exec(line);
    if (line.trim() === '') continue;
    const name = (match?.[1] ?? line.trim()).toUpperCase();
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    if (!change) throw invalidArgument(`${name} is not a valid change command`);
    if (!match?.[2]) throw invalidArgument(`${name} requires at least one argument`);
    change(changed, match[2]);
  }
  return changed;
}

/** The exec form's list, undefined for other text. */
function list(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

const command = (text: string): readonly string[] => list(text) ?? ['/bin/sh', '-c', text];

const words = (text: string): readonly string[] => text.split(/\s+/);

/** `a=b "c d"=e`, or the old form `name the rest`. */
function pairs(instruction: string, text: string): readonly (readonly [string, string])[] {
  if (!/^\S*=/.test(text)) {
    const [name = '', value] = text.split(/\s+(.*)/s);
    if (value === undefined) throw invalidArgument(`${instruction} must have two arguments`);
    return [[name, value]];
  }
  return splitWords(text).map((word) => {
    const mark = word.indexOf('=');
    if (mark <= 0) {
      throw invalidArgument(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    }
    return [word.slice(0, mark), word.slice(mark + 1)];
  });
}

function healthcheck(text: string): HealthcheckConfig {
  if (text.toUpperCase() === 'NONE') return { Test: ['NONE'] };
  const options: Record<string, number> = {};
  let rest = text;
  for (;;) {
    const flag = /^--([a-z-]+)=(\S+)\s+(.*)$/s.exec(rest);
    if (!flag?.[1] || flag[2] === undefined || flag[3] === undefined) break;
    Object.assign(options, healthOption(flag[1], flag[2]));
    rest = flag[3];
  }
  const probe = /^CMD\s+(.+)$/is.exec(rest)?.[1];
  if (probe === undefined)
    throw invalidArgument(`Unknown type ${JSON.stringify(words(rest)[0])} in HEALTHCHECK (try CMD)`);
  const exec = list(probe);
  return { Test: exec ? ['CMD', ...exec] : ['CMD-SHELL', probe], ...options };
}

function healthOption(flag: string, value: string): HealthcheckConfig {
  if (flag === 'retries') return { Retries: Number(value) };
  const field = healthDurations[flag];
  const nanos = parseDuration(value);
  if (field === undefined || nanos === undefined) {
    throw invalidArgument(`invalid HEALTHCHECK option --${flag}=${value}`);
  }
  return { [field]: Number(nanos) };
}

const healthDurations: Readonly<Record<string, keyof HealthcheckConfig>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};
