import { posix } from 'node:path';
import type { Entry, ResolvedTarget } from '#bake';
import { formatSecret, linkedContexts } from '#bake';
import { plainOptions, type BuildOptions, type BuildOutput } from '../build/build-options.ts';
import { annotationAttributes } from '../build/options/annotation.ts';
import { parseCall } from '../build/options/call.ts';
import { parseSecrets } from '../build/options/secret.ts';
import type { Setting } from '../build/solve.ts';
import { parseBinarySize } from '../format/units.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One target as a build. `input:NAME` stands for the result of another target. Throws buildx's texts. */
export function targetOptions(target: ResolvedTarget, env: Environment): BuildOptions {
  const shmSize = target['shm-size'] === undefined ? undefined : shmBytes(target['shm-size']);
  for (const platform of target.platforms ?? []) checkPlatform(platform);
  const options: BuildOptions = {
    ...plainOptions(target.context),
    ...dockerfileOf(target),
    contexts: contextsOf(target),
    ...defined<BuildOptions>({
      ...{ buildArguments: target.args, labels: target.labels, annotations: target.annotations },
      ...{ target: target.target, platforms: target.platforms, tags: target.tags },
      ...{ noCache: target['no-cache'], noCacheFilter: target['no-cache-filter'], pull: target.pull },
      ...{ network: target.network || undefined, shmSize, ulimits: target.ulimits },
      ...{ entitlements: target.entitlements, outputs: target.output?.map(outputOf) },
      ...{ cacheFrom: target['cache-from']?.map(settingOf), cacheTo: target['cache-to']?.map(settingOf) },
      secrets: target.secret && parseSecrets(target.secret.map(formatSecret), env),
      ssh: target.ssh && sshOf(target.ssh, env),
      attestations: target.attest && attestationsOf(target.attest),
      call: target.call === undefined ? undefined : parseCall(target.call),
    }),
    extraHosts: Object.entries(target['extra-hosts'] ?? {}).flatMap(([name, addresses]) =>
      addresses.split(',').map((address) => `${name}:${address}`),
    ),
  };
  annotationAttributes(options.annotations);
  for (const limit of options.ulimits) checkLimit(limit);
  return options;
}

/** Without what is undefined. */
const defined = <T extends object>(values: { readonly [K in keyof T]?: T[K] | undefined }): Partial<T> =>
  // The keys are those of the values.
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

function sshOf(keys: NonNullable<ResolvedTarget['ssh']>, env: Environment): BuildOptions['ssh'] {
  return keys.map(({ id = 'default', paths = [] }) => {
    checkAgent(id, paths, env);
    return { id, paths };
  });
}

function shmBytes(text: string): number {
  try {
    return parseBinarySize(text);
  } catch {
    throw new Error(`invalid value ${text} for membytes key shm-size`);
  }
}

function checkPlatform(text: string): void {
  if (/^[\w.-]+(\/[\w.-]+){0,2}$/.test(text)) return;
  throw new Error(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`);
}

function checkAgent(id: string, paths: readonly string[], env: Environment): void {
  if (paths.length > 0 || env['SSH_AUTH_SOCK']) return;
  throw new Error(
    `failed to convert agent config {${id} [] false}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`,
  );
}

function checkLimit(text: string): void {
  if (/^[a-z]+=-?\d+(:-?\d+)?$/.test(text)) return;
  throw new Error(`invalid ulimit argument: ${text}`);
}

const isRemote = (context: string): boolean =>
  /^(https?|git|ssh):\/\//.test(context) || /^(github\.com\/|[\w-]+@[^/:]+:)/.test(context);

/** A Dockerfile is where its context is, unless its path says otherwise. */
function dockerfileOf(target: ResolvedTarget): Pick<BuildOptions, 'dockerfile' | 'dockerfileInline'> {
  const inline = target['dockerfile-inline'];
  if (inline !== undefined) return { dockerfileInline: inline };
  const { dockerfile, context } = target;
  if (dockerfile.startsWith('cwd://'))
    return { dockerfile: posix.resolve(dockerfile.slice('cwd://'.length)) };
  if (isRemote(context) || isRemote(dockerfile) || dockerfile.startsWith('/')) return { dockerfile };
  return { dockerfile: posix.join(context, dockerfile) };
}

function contextsOf(target: ResolvedTarget): Record<string, string> {
  const linked = linkedContexts(target);
  return Object.fromEntries(
    Object.entries(target.contexts ?? {}).map(([name, value]) => {
      if (linked.has(name)) return [name, `input:${name}`];
      return [name, value.startsWith('cwd://') ? posix.normalize(value.slice('cwd://'.length)) : value];
    }),
  );
}

const settingOf = ({ type = '', ...attrs }: Entry): Setting => ({ type, attrs });

function outputOf({ type = '', dest, ...attrs }: Entry): BuildOutput {
  if (type === 'local' && dest === undefined) throw new Error('dest is required for local exporter');
  return { type, ...(dest !== undefined && { dest }), attrs };
}

const attestationsOf = (attests: readonly Entry[]): Record<string, string> =>
  Object.fromEntries(
    attests.flatMap(({ type = '', disabled, ...settings }) =>
      disabled === undefined
        ? [
            [
              type,
              Object.entries(settings)
                .map(([key, value]) => `${key}=${value}`)
                .join(','),
            ],
          ]
        : [],
    ),
  );
