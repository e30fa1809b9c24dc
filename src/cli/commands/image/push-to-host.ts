import type { ImageSummary } from '#api/types';
import type { EngineClient } from '#client';
import { canonicalName, familiarName, parseReference } from '#oci';
import type { Context } from '../../context.ts';
import { copyImages } from './copy-images.ts';

interface HostOptions {
  readonly allTags: boolean;
  readonly platform: string;
  readonly quiet: boolean;
}

/** `push IMAGE… HOST`: from the engine in use to the one at `host`. */
export async function pushToHost(
  context: Context,
  names: readonly string[],
  host: string,
  options: HostOptions,
): Promise<void> {
  await copy(context, names, { from: context.engine, to: context.connect(host), words: 'push' }, options);
}

/** `pull IMAGE… HOST`: the other way round. */
export async function pullFromHost(
  context: Context,
  names: readonly string[],
  host: string,
  options: HostOptions,
): Promise<void> {
  await copy(context, names, { from: context.connect(host), to: context.engine, words: 'pull' }, options);
}

async function copy(
  context: Context,
  names: readonly string[],
  way: { readonly from: EngineClient; readonly to: EngineClient; readonly words: 'push' | 'pull' },
  { allTags, platform, quiet }: HostOptions,
): Promise<void> {
  if (platform !== '') {
    throw new Error('--platform is not for hosts: an image goes with all the platforms of it that are there');
  }
  const wanted = allTags ? await everyTag(way.from, names) : names;
  try {
    await copyImages(context, wanted, { ...way, quiet });
    if (quiet) for (const name of wanted) context.out.write(`${name}\n`);
  } finally {
    way.from.close();
    way.to.close();
  }
}

async function everyTag(engine: EngineClient, names: readonly string[]): Promise<readonly string[]> {
  const images = await engine.json<readonly ImageSummary[]>({ method: 'GET', path: '/images/json' });
  return names.flatMap((name) => {
    const reference = parseReference(name);
    if (reference.tag !== undefined || reference.digest !== undefined) {
      throw new Error("tag can't be used with --all-tags/-a");
    }
    const isOurs = (tag: string): boolean => canonicalName(parseReference(tag)) === canonicalName(reference);
    const tags = images.flatMap(({ RepoTags }) => RepoTags.filter(isOurs));
    if (tags.length === 0) {
      throw new Error(`An image does not exist locally with the tag: ${familiarName(reference)}`);
    }
    return tags;
  });
}
