import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import type { ContainerCreateRequest, ContainerCreateResponse } from '#api/types';
import { isNotFound } from '#client';
import { errnoOf, messageOf } from '#kernel';
import { proxyVariables } from '../../config/proxies.ts';
import type { Context } from '../../context.ts';
import type { CreateValues } from './create-flags.ts';

export const checkPull = (pull: string): void => {
  if (!['always', 'missing', 'never', ''].includes(pull)) {
    throw new Error(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
  }
};

/** Creates a container, pulling its image if that is missing; returns the id. */
export async function createContainer(
  context: Context,
  flags: CreateValues,
  request: ContainerCreateRequest,
): Promise<string> {
  const body = await complete(context, flags, request);
  const image = body.Image ?? '';
  await checkImage(image);
  checkPlatform(flags.platform);
  using cidFile = reserveIdFile(flags.cidfile);
  if (flags.pull === 'always') await pull(context, image, flags);
  const create = (): Promise<ContainerCreateResponse> =>
    context.engine.json<ContainerCreateResponse>({
      method: 'POST',
      path: '/containers/create',
      query: { name: flags.name || undefined, platform: flags.platform || undefined },
      json: body,
    });
  let answer: ContainerCreateResponse;
  try {
    answer = await create();
  } catch (error) {
    // Only a missing image is worth a pull: other things may be missing too.
    if (
      !isNotFound(error) ||
      flags.pull !== 'missing' ||
      !/no such image|does not match the specified platform/i.test(String(error))
    )
      throw error;
    if (!flags.quiet) await reportMissing(context, image);
    await pull(context, image, flags);
    answer = await create();
  }
  for (const warning of answer.Warnings) context.err.write(`WARNING: ${warning}\n`);
  if (flags['use-api-socket']) {
    const { copyCredentials } = await import('./api-socket.ts');
    await copyCredentials(context, answer.Id);
  }
  cidFile?.write(answer.Id);
  return answer.Id;
}

/** Adds what config.json and the engine's place contribute. */
async function complete(
  context: Context,
  flags: CreateValues,
  body: ContainerCreateRequest,
): Promise<ContainerCreateRequest> {
  // What a file names does not count as given: the proxies come behind it and win.
  const given = new Set(flags.env.map((word) => word.split('=')[0]));
  const proxies = proxyVariables(context.config, context.engine.endpoint).filter(
    (word) => !given.has(word.split('=')[0]),
  );
  const whole = proxies.length > 0 ? { ...body, Env: [...(body.Env ?? []), ...proxies] } : body;
  if (!flags['use-api-socket']) return whole;
  const { withApiSocket } = await import('./api-socket.ts');
  return withApiSocket(whole, context);
}

async function checkImage(image: string): Promise<void> {
  // A name of plain words needs no parser, which costs time to load.
  if (/^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*(?::\w[\w.-]{0,127})?$/.test(image))
    return;
  const { parseImageName } = await import('#oci');
  parseImageName(image);
}

async function reportMissing(context: Context, image: string): Promise<void> {
  const { familiarString, parseReference, withDefaultTag } = await import('#oci');
  context.err.write(
    `Unable to find image '${familiarString(withDefaultTag(parseReference(image)))}' locally\n`,
  );
}

async function pull(context: Context, image: string, flags: CreateValues): Promise<void> {
  const { pullImage } = await import('../image/pull-image.ts');
  await pullImage(context, image, {
    platform: flags.platform,
    quiet: flags.quiet,
    out: context.err,
    isTerminal: context.terminal.stderrIsTerminal,
  });
}

function openIdFile(path: string): number {
  try {
    return openSync(path, 'wx', 0o644);
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw new Error(`failed to create the container ID file: open ${path}: ${why}`, { cause: error });
  }
}

/** The file of --cidfile: removed again unless an id was written. */
function reserveIdFile(path: string): (Disposable & { write(id: string): void }) | undefined {
  if (path === '') return undefined;
  if (existsSync(path)) {
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`);
  }
  const file = openIdFile(path);
  let written = false;
  return {
    write(id) {
      writeSync(file, id);
      written = true;
    },
    [Symbol.dispose]() {
      closeSync(file);
      if (!written) rmSync(path, { force: true });
    },
  };
}

/** Refuses a platform that no engine could read. */
function checkPlatform(platform: string): void {
  if (platform.split('/').length > 3) {
    throw new Error(
      `error parsing specified platform: ${JSON.stringify(platform)}: cannot parse platform specifier: invalid argument`,
    );
  }
}
