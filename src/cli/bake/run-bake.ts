import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ResolvedTarget } from '#bake';
import { linkedContexts } from '#bake';
import type { DefinitionSchema, gateway, StatusResponse } from '#buildkit';
import type { BuildOptions } from '../build/build-options.ts';
import { build, type BuildPlace } from '../build/build.ts';
import type { Solved } from '../build/solve.ts';
import { statusOfTarget } from './target-status.ts';

/** A target and what is asked of the engine for it. */
export interface BakeJob {
  readonly target: ResolvedTarget;
  readonly options: BuildOptions;
}

export interface BakeHooks {
  readonly signal: AbortSignal;
  onStatus(status: StatusResponse): void;
}

type Definition = MessageInitShape<typeof DefinitionSchema>;

/**
 * Builds all targets side by side. One that takes the result of another begins when that is planned, and the engine
 * keeps the other until it is done. The first failure gives up the rest, and is thrown.
 */
export async function runBake(
  jobs: ReadonlyMap<string, BakeJob>,
  place: BuildPlace,
  hooks: BakeHooks,
): Promise<ReadonlyMap<string, Solved>> {
  const stop = new AbortController();
  const signal = AbortSignal.any([hooks.signal, stop.signal]);
  const results = new Map([...jobs.keys()].map((name) => [name, Promise.withResolvers<gateway.Result>()]));
  const running = new Map<string, Promise<Solved>>();
  const isOne = jobs.size === 1;

  const run = async (name: string, { target, options }: BakeJob): Promise<Solved> => {
    // Every build has been started by name before one waits for another.
    await Promise.resolve();
    const links = await Promise.all(
      [...linkedContexts(target)].map(async ([context, source]) => {
        const result = await results.get(source)?.promise;
        if (!result) throw new Error(`failed to find target ${source}`);
        return inputsOf(context, result);
      }),
    );
    const parts = links.flat();
    const dependents = [...jobs].filter(([, other]) =>
      [...linkedContexts(other.target).values()].includes(name),
    );
    return await build(withInputs(options, parts), place, {
      signal,
      onStatus: (status) => hooks.onStatus(isOne ? status : statusOfTarget(name, status)),
      inputs: () => Promise.resolve(Object.fromEntries(parts.map((part) => [part.name, part.definition]))),
      onResult: async (result) => {
        results.get(name)?.resolve(result);
        await Promise.allSettled(dependents.map(([other]) => running.get(other) ?? Promise.resolve()));
      },
    });
  };

  for (const [name, job] of jobs) {
    const promise = run(name, job);
    running.set(name, promise);
    promise.catch((error: unknown) => {
      results.get(name)?.reject(error);
      stop.abort(error);
    });
    // Rejections are taken from the builds themselves.
    results.get(name)?.promise.catch(() => undefined);
  }
  // Also those that were given up put away what they have made.
  await Promise.allSettled(running.values());
  return new Map(
    await Promise.all([...running].map(async ([name, promise]) => [name, await promise] as const)),
  );
}

/** What a build takes of another's result: for each platform under a name of its own, where there are several. */
interface Input {
  readonly name: string;
  readonly definition: Definition;
  /** Of the image, in base64. */
  readonly config: string | undefined;
}

const configKey = 'containerimage.config';

function inputsOf(context: string, { result, metadata }: gateway.Result): readonly Input[] {
  const input = (name: string, definition: Definition | undefined, key: string): Input => {
    const config = metadata[key];
    return {
      name,
      definition: definition ?? {},
      config: config && Buffer.from(config).toString('base64'),
    };
  };
  if (result.case === 'ref') return [input(context, result.value.def, configKey)];
  if (result.case !== 'refs') return [input(context, undefined, configKey)];
  return Object.entries(result.value.refs).map(([platform, ref]) =>
    input(`${context}::${platform}`, ref.def, `${configKey}/${platform}`),
  );
}

/** Tells the frontend under which names the inputs come. */
function withInputs(options: BuildOptions, inputs: readonly Input[]): BuildOptions {
  if (inputs.length === 0) return options;
  const replaced = new Set(inputs.map(({ name }) => name.replace(/::.*$/, '')));
  const contexts = Object.fromEntries(
    Object.entries(options.contexts).filter(([name]) => !replaced.has(name)),
  );
  const limits = { ...options.limits };
  for (const { name, config } of inputs) {
    contexts[name] = `input:${name}`;
    if (config !== undefined) limits[`input-metadata:${name}`] = JSON.stringify({ [configKey]: config });
  }
  return { ...options, contexts, limits };
}
