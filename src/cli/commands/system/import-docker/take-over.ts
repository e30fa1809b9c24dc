import type { ProgressMessage } from '#api/types';
import { jsonLines, type EngineClient } from '#client';
import { messageOf } from '#kernel';
import { decimalSize } from '../../../format/units.ts';
import { hasHelper, makeHelper, makeHelperImage, removeHelper, writeVolume } from './helper-container.ts';
import { ifPresent } from './if-present.ts';
import type { ImportSource, SourceImage, SourceVolume } from './import-source.ts';

/** What became of one image or volume. */
export type Outcome = 'taken' | 'present' | 'kept' | 'failed';

export interface TakeOver {
  readonly source: ImportSource;
  readonly target: EngineClient;
  /** Also images without a name and anonymous volumes. */
  readonly all: boolean;
  say(line: string): void;
}

const anonymous = /^[0-9a-f]{64}$/;

/** Images, one after the other. What the target has is left alone, so that another run goes on where one ended. */
export async function takeImages(job: TakeOver): Promise<readonly Outcome[]> {
  const images = (await job.source.images()).filter(({ tags }) => job.all || tags.length > 0);
  return each(job, images, (image) => `image ${image.tags[0] ?? image.id}`, takeImage);
}

/** Volumes, one after the other. One that the target has already is left alone, unless its copy was cut off. */
export async function takeVolumes(job: TakeOver): Promise<readonly Outcome[]> {
  const volumes = (await job.source.volumes()).filter(({ name }) => job.all || !anonymous.test(name));
  if (volumes.length > 0) await makeHelperImage(job.target);
  return each(job, volumes, ({ name }) => `volume ${name}`, takeVolume);
}

type Step<T> = (job: TakeOver, item: T) => Promise<{ readonly outcome: Outcome; readonly what: string }>;

async function each<T>(
  job: TakeOver,
  items: readonly T[],
  name: (item: T) => string,
  take: Step<T>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, item] of items.entries()) {
    const label = `[${index + 1}/${items.length}] ${name(item)}: `;
    try {
      const { outcome, what } = await take(job, item);
      outcomes.push(outcome);
      job.say(label + what);
    } catch (error) {
      outcomes.push('failed');
      job.say(`${label}failed: ${messageOf(error)}`);
    }
  }
  return outcomes;
}

async function takeImage(
  { source, target }: TakeOver,
  image: SourceImage,
): Promise<{ outcome: Outcome; what: string }> {
  let id = await findSame(target, image);
  const fetched = id === undefined;
  id ??= await load(target, source.saveImage(image));
  const foreign: string[] = [];
  let named = 0;
  for (const tag of image.tags) {
    const holder = await imageId(target, tag);
    if (holder === id) continue;
    if (holder === undefined) {
      await tagImage(target, id, tag);
      named += 1;
    } else foreign.push(tag);
  }
  if (foreign.length > 0) {
    return {
      outcome: 'kept',
      what: `the target has another ${foreign.join(', ')}, which stays; here: ${id}`,
    };
  }
  if (fetched) return { outcome: 'taken', what: `taken over, ${decimalSize(image.size, 3)}` };
  return named > 0 ? { outcome: 'taken', what: 'named' } : { outcome: 'present', what: 'is there already' };
}

interface Found {
  readonly Id: string;
  readonly RootFS?: { readonly Layers?: readonly string[] | null };
}

const inspectImage = async (target: EngineClient, reference: string): Promise<Found | undefined> =>
  ifPresent(target.json<Found>({ method: 'GET', path: `/images/${reference}/json` }));

const imageId = async (target: EngineClient, reference: string): Promise<string | undefined> =>
  (await inspectImage(target, reference))?.Id;

/** The same image under its id; or under one of its names, since engines with containerd's store count ids otherwise. */
async function findSame(target: EngineClient, image: SourceImage): Promise<string | undefined> {
  const byId = await imageId(target, image.id);
  if (byId !== undefined) return byId;
  for (const tag of image.tags) {
    const found = await inspectImage(target, tag);
    const layers = found?.RootFS?.Layers ?? [];
    if (found && layers.length > 0 && layers.join() === image.layers.join()) return found.Id;
  }
  return undefined;
}

/** Resolves to the id that the image has in the target. */
async function load(target: EngineClient, stream: AsyncIterable<Uint8Array>): Promise<string> {
  const { body } = await target.send({
    method: 'POST',
    path: '/images/load',
    query: { quiet: '1' },
    stream,
    contentType: 'application/x-tar',
  });
  let said = '';
  // The stream carries progress messages only.
  for await (const message of jsonLines(body) as AsyncGenerator<ProgressMessage>) {
    if (message.error !== undefined) throw new Error(message.error);
    said += message.stream ?? '';
  }
  const id = /Loaded image(?: ID)?: (\S+)/.exec(said)?.[1];
  if (id === undefined) throw new Error(`the engine does not say what it has loaded: ${said.trim()}`);
  return id.startsWith('sha256:') ? id : ((await imageId(target, id)) ?? id);
}

async function tagImage(target: EngineClient, id: string, tag: string): Promise<void> {
  const at = tag.lastIndexOf(':');
  const query = { repo: tag.slice(0, at), tag: tag.slice(at + 1) };
  await target.done({ method: 'POST', path: `/images/${id}/tag`, query });
}

async function takeVolume(
  { source, target }: TakeOver,
  volume: SourceVolume,
): Promise<{ outcome: Outcome; what: string }> {
  const { name, driver, options } = volume;
  if (driver !== 'local') return { outcome: 'failed', what: `its driver ${driver} is not known here` };
  const exists = await ifPresent(target.json({ method: 'GET', path: `/volumes/${name}` }));
  const resumed = await hasHelper(target, name);
  if (exists !== undefined && !resumed) return { outcome: 'present', what: 'is there already' };
  if (Object.keys(options).length > 0) {
    const json = { Name: name, Driver: driver, DriverOpts: options, Labels: volume.labels };
    await target.done({ method: 'POST', path: '/volumes/create', json });
    return {
      outcome: 'taken',
      what: `defined, with the contents left where they are (${options['device'] ?? ''})`,
    };
  }
  // The volume comes into being with its helper, which goes last: as long as it is there the copy is not whole.
  if (!resumed) await makeHelper(target, volume);
  let size = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.saveVolume(volume)) {
      size += chunk.length;
      yield chunk;
    }
  };
  await writeVolume(target, name, counted());
  await removeHelper(target, name);
  return { outcome: 'taken', what: `taken over, ${decimalSize(size, 3)}` };
}
