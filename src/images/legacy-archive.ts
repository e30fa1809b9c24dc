import { invalidArgument } from '#kernel';
import { mediaTypes, parseReference, withTag, type Descriptor, type HistoryEntry } from '#oci';
import { describeLayer, type ArchivedImage } from './docker-archive.ts';
import type { ReceivedArchive } from './received-archive.ts';

/** The fields of a `<layer>/json` that are of use; everything else is dropped. */
interface LegacyLayer {
  readonly id: string;
  readonly parent?: string;
  readonly created?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly os?: string;
  readonly architecture?: string;
  readonly config?: object;
  readonly container_config?: { readonly Cmd?: readonly string[] | null };
}

const maxLayers = 500;

async function readJson(archive: ReceivedArchive, path: string): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(await archive.read(path)).toString());
  } catch (error) {
    if (error instanceof SyntaxError)
      throw invalidArgument(`invalid archive: ${path} is not a JSON document`, error);
    throw error;
  }
  if (typeof value !== 'object' || value === null)
    throw invalidArgument(`invalid archive: ${path} is no object`);
  // Narrowed above; what its fields hold is checked where they are used.
  return value as Record<string, unknown>;
}

/** The images of an archive as Docker before 1.10 wrote it: `repositories`, and per layer a folder of its id. */
export async function readLegacyArchive(archive: ReceivedArchive): Promise<readonly ArchivedImage[]> {
  const images: ArchivedImage[] = [];
  for (const [name, tags] of Object.entries(await readJson(archive, 'repositories'))) {
    if (typeof tags !== 'object' || tags === null)
      throw invalidArgument('invalid archive: repositories has no tags');
    for (const [tag, id] of Object.entries(tags)) {
      const references = [withTag(parseReference(name), tag)];
      images.push({ references, source: await readImage(archive, String(id)) });
    }
  }
  return images;
}

async function readImage(archive: ReceivedArchive, top: string): Promise<ArchivedImage['source']> {
  const chain: LegacyLayer[] = [];
  for (let id: string | undefined = top; id !== undefined && id !== ''; id = chain[0]?.parent) {
    if (!/^[0-9a-f]{64}$/.test(id))
      throw invalidArgument(`invalid archive: ${JSON.stringify(id)} is no layer id`);
    if (chain.length === maxLayers)
      throw invalidArgument('invalid archive: its layers are stacked too deeply');
    const { parent, ...rest } = await readJson(archive, `${id}/json`);
    // What the fields hold ends up in a configuration that is checked as a whole.
    chain.unshift({ ...rest, id, ...(typeof parent === 'string' && { parent }) });
  }
  const layers: Descriptor[] = [];
  for (const { id } of chain) {
    const layer = await describeLayer(archive, `${id}/layer.tar`);
    if (layer.mediaType !== mediaTypes.dockerLayer) {
      throw invalidArgument(`unsupported compression of layer ${id}: this format has plain layers`);
    }
    layers.push(layer);
  }
  const path = `${top}/config.json`;
  archive.add(path, Buffer.from(JSON.stringify(configure(chain, layers))));
  return { kind: 'parts', config: await archive.blob(path), layers };
}

function configure(chain: readonly LegacyLayer[], layers: readonly Descriptor[]): object {
  const top = chain.at(-1);
  const history: HistoryEntry[] = chain.map(({ created, author, comment, container_config: run }) => ({
    ...(created !== undefined && { created }),
    ...(run?.Cmd && { created_by: run.Cmd.join(' ') }),
    ...(author !== undefined && { author }),
    ...(comment !== undefined && { comment }),
  }));
  return {
    architecture: top?.architecture ?? 'amd64',
    ...(top?.author !== undefined && { author: top.author }),
    config: top?.config ?? {},
    ...(top?.created !== undefined && { created: top.created }),
    history,
    os: top?.os ?? 'linux',
    // A plain layer is its own diffID.
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
}
