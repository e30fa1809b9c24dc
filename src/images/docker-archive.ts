import { invalidArgument } from '#kernel';
import {
  mediaTypes,
  parseImageConfig,
  parseReference,
  withDefaultTag,
  type Descriptor,
  type Digest,
  type Reference,
} from '#oci';
import type { ReceivedArchive } from './received-archive.ts';

/** An image that an archive holds, before it is admitted. */
export interface ArchivedImage {
  readonly references: readonly Reference[];
  /** What the archive says the image is, and the layers that belong to it. */
  readonly source:
    | { readonly kind: 'target'; readonly target: Descriptor }
    | {
        readonly kind: 'parts';
        readonly config: { readonly digest: Digest; readonly size: number };
        readonly layers: readonly Descriptor[];
      };
}

/** An entry of `manifest.json`. */
interface DockerArchiveEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** Parses `manifest.json` of an archive made by `docker save`. Throws invalidArgument. */
function parseDockerArchive(bytes: Uint8Array): readonly DockerArchiveEntry[] {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw invalidArgument('invalid archive: manifest.json is not a JSON document', error);
  }
  if (!Array.isArray(document)) throw invalidArgument('invalid archive: manifest.json is not a list');
  return document.map((entry: unknown, n) => {
    const { Config, RepoTags, Layers } = (entry ?? {}) as Record<string, unknown>;
    const tags = RepoTags ?? [];
    const layers = Layers ?? [];
    if (typeof Config !== 'string' || !isStrings(tags) || !isStrings(layers)) {
      throw invalidArgument(`invalid archive: entry ${n} of manifest.json has fields of the wrong type`);
    }
    return { Config, RepoTags: tags, Layers: layers };
  });
}

/** The images of an archive with a `manifest.json`; layers keep the form they have in it. */
export async function readDockerArchive(archive: ReceivedArchive): Promise<readonly ArchivedImage[]> {
  const entries = parseDockerArchive(await archive.read('manifest.json'));
  const images: ArchivedImage[] = [];
  for (const entry of entries) {
    const config = parseImageConfig(await archive.read(entry.Config));
    const [expected, found] = [config.rootfs.diff_ids.length, entry.Layers.length];
    if (expected !== found) {
      throw invalidArgument(`invalid manifest, layers length mismatch: expected ${expected}, got ${found}`);
    }
    const layers: Descriptor[] = [];
    for (const path of entry.Layers) layers.push(await describeLayer(archive, path));
    images.push({
      references: entry.RepoTags.map((tag) => withDefaultTag(parseReference(tag))),
      source: { kind: 'parts', config: await archive.blob(entry.Config), layers },
    });
  }
  return images;
}

/** A layer's descriptor, its media type told from its first bytes; a compression that images do not have is undone. */
export async function describeLayer(archive: ReceivedArchive, path: string): Promise<Descriptor> {
  const compression = await archive.compression(path);
  if (compression === 'xz' || compression === 'bzip2') {
    return { mediaType: mediaTypes.dockerLayer, ...(await archive.plainBlob(path)) };
  }
  return { mediaType: layerTypes[compression], ...(await archive.blob(path)) };
}

const layerTypes = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
} as const;
