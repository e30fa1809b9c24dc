import type { BuiltLayer, LayerStack } from '#images';
import { invalidArgument } from '#kernel';
import { chainIds, isDigest, mediaTypes, type Descriptor, type Digest } from '#oci';
import { topOf } from '#images';

/** A step as it goes to other builders, and comes from them. */
export interface SharedStep {
  /** What it was made of, 64 hexadecimal digits: the same on every machine. */
  readonly key: string;
  /** chainID of its result, by which later steps know it. */
  readonly chain: Digest;
  /** The layers of the result; undefined where only their name is shared. */
  readonly layers: LayerStack | undefined;
}

/** A cache mount's contents as a tar. */
export interface SharedMount {
  /** Name of its folder. */
  readonly folder: string;
  readonly name: string;
  readonly blob: Descriptor;
}

/** BuildKit's `application/vnd.buildkit.cacheconfig.v0`; `chain` and `mounts` are our own. */
interface ConfigText {
  readonly layers?: readonly LayerText[];
  readonly records?: readonly RecordText[];
  readonly mounts?: readonly MountText[];
}

interface LayerText {
  readonly blob: string;
  /** Place of the layer below; -1 for none, 0 where it is left out. */
  readonly parent?: number;
  readonly annotations?: {
    readonly mediaType?: string;
    readonly diffID?: string;
    readonly size?: number;
    readonly createdAt?: string;
  };
}

export interface RecordText {
  readonly digest: string;
  readonly chain?: string;
  readonly layers?: readonly { readonly layer: number; readonly createdAt?: string }[];
}

interface MountText {
  readonly folder: string;
  readonly name: string;
  readonly blob: string;
  readonly size: number;
}

/** What steps are shared with whom. */
export interface SharedCache {
  readonly steps: readonly SharedStep[];
  readonly mounts: readonly SharedMount[];
}

export const cacheConfigType = 'application/vnd.buildkit.cacheconfig.v0';
/** Key of an image's configuration, for the steps that made it (base64 of JSON). */
export const inlineCacheKey = 'moby.buildkit.cache.v0';

const unknownTime = '0001-01-01T00:00:00Z';

/** The document, and the blobs that it names in their order. */
export function writeCacheConfig({ steps, mounts }: SharedCache): {
  readonly text: string;
  readonly blobs: readonly Descriptor[];
} {
  const table = new LayerTable();
  const records = steps.map(({ key, chain, layers }) => {
    const record = { digest: `sha256:${key}`, chain };
    if (!layers) return record;
    const createdAt = layers.at(-1)?.createdAt ?? unknownTime;
    return { ...record, layers: [{ layer: table.place(layers), createdAt }] };
  });
  const config: ConfigText = {
    layers: table.layers,
    records,
    ...(mounts.length > 0 && {
      mounts: mounts.map(({ folder, name, blob }) => ({ folder, name, blob: blob.digest, size: blob.size })),
    }),
  };
  return { text: JSON.stringify(config), blobs: [...table.blobs, ...mounts.map(({ blob }) => blob)] };
}

/** Layers by their place in a document, those below first. */
class LayerTable {
  readonly layers: LayerText[] = [];
  readonly #places = new Map<Digest, number>();
  readonly #blobs = new Map<Digest, Descriptor>();

  get blobs(): readonly Descriptor[] {
    return [...this.#blobs.values()];
  }

  /** Place of the topmost layer. */
  place(layers: LayerStack): number {
    const chains = chainIds(layers.map(({ diffId }) => diffId));
    let parent = -1;
    for (const [n, layer] of layers.entries()) {
      const chain = chains[n] ?? layer.diffId;
      const known = this.#places.get(chain);
      parent = known ?? this.#add(chain, layer, parent);
    }
    return parent;
  }

  #add(chain: Digest, { blob, diffId, createdAt = unknownTime }: BuiltLayer, parent: number): number {
    const { mediaType, size, digest } = blob;
    const annotations = { mediaType, diffID: diffId, size, createdAt };
    const place = this.layers.push({ blob: digest, parent, annotations }) - 1;
    this.#places.set(chain, place);
    this.#blobs.set(digest, { mediaType, digest, size });
    return place;
  }
}

/** The records of an image: their layers by their place in it. Those of other stages are only named. */
export function writeInlineCache(steps: readonly SharedStep[], image: LayerStack): string {
  const chains = chainIds(image.map(({ diffId }) => diffId));
  const records = steps.map(({ key, chain }): RecordText => {
    const place = chains.indexOf(chain);
    const createdAt = image[place]?.createdAt ?? unknownTime;
    return { digest: `sha256:${key}`, chain, ...(place >= 0 && { layers: [{ layer: place, createdAt }] }) };
  });
  return Buffer.from(JSON.stringify(records)).toString('base64');
}

/** Records that this engine can use are taken, others are not. Throws invalidArgument for what is no such document. */
export function readCacheConfig(text: string): SharedCache {
  const config = parse(text) as ConfigText | null; // each part is checked below
  const stacks = stacksOf(config?.layers ?? []);
  const mounts = (config?.mounts ?? []).flatMap(({ folder, name, blob, size }) =>
    /^[0-9a-f]{64}(?:-\d+)?$/.test(folder) && isDigest(blob)
      ? [{ folder, name, blob: { mediaType: mediaTypes.ociLayerGzip, digest: blob, size } }]
      : [],
  );
  return { steps: stepsOf(config?.records ?? [], (place) => stacks[place]), mounts };
}

/** The same of what an image says of its own layers. */
export function readInlineCache(encoded: string, image: LayerStack): SharedCache {
  const records = parse(Buffer.from(encoded, 'base64').toString()) as readonly RecordText[] | null;
  return { steps: stepsOf(records ?? [], (place) => image.slice(0, place + 1)), mounts: [] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument('the cache is no JSON', error);
  }
}

function stepsOf(
  records: readonly RecordText[],
  stackAt: (place: number) => LayerStack | undefined,
): readonly SharedStep[] {
  return records.flatMap(({ digest, chain, layers = [] }) => {
    const key = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    const place = layers[0]?.layer;
    const stack = place === undefined ? undefined : stackAt(place);
    const name = chain !== undefined && isDigest(chain) ? chain : stack && topOf(stack);
    return key === undefined || name === undefined ? [] : [{ key, chain: name, layers: stack }];
  });
}

/** The stack under each layer, itself on top; undefined where something of it is missing. */
function stacksOf(layers: readonly LayerText[]): readonly (LayerStack | undefined)[] {
  const stacks: (LayerStack | undefined)[] = [];
  for (const [n, { blob, parent = 0, annotations = {} }] of layers.entries()) {
    const { diffID, mediaType = mediaTypes.ociLayerGzip, size, createdAt } = annotations;
    const below = parent < 0 ? [] : parent < n ? stacks[parent] : undefined;
    if (!below || !isDigest(blob) || diffID === undefined || !isDigest(diffID) || size === undefined) {
      stacks.push(undefined);
      continue;
    }
    const time = createdAt === undefined || createdAt === unknownTime ? {} : { createdAt };
    stacks.push([...below, { diffId: diffID, blob: { mediaType, digest: blob, size }, ...time }]);
  }
  return stacks;
}
