import { dirname } from 'node:path';
import type {
  DriverData,
  ImageConfig,
  ImageHistoryResponseItem,
  ImageInspect,
  ImageManifestSummary,
  ImageSummary,
} from '#api/types';
import type { ImageManifest, ImageRecord, Images } from '#images';
import { formatTime, parseTime, zeroTime } from '#kernel';
import { olderFacts } from '../versions/index.ts';

/** Seconds since the epoch of an image's creation; 0 when its config does not tell. */
function createdSeconds(created: string | undefined): number {
  const nanos = createdNanos(created);
  return nanos === undefined ? 0 : Number(nanos / 1_000_000_000n);
}

/** Nanoseconds since the epoch, undefined when the text is none or no time. */
export function createdNanos(created: string | undefined): bigint | undefined {
  try {
    return created === undefined ? undefined : parseTime(created);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const summaries = new WeakMap<ImageRecord, ImageSummary>();

/** One entry of GET /images/json. `containers`: how many are made from it; `sharedSize`: -1 when it is not asked for. */
export function viewImageSummary(image: ImageRecord, containers: number, sharedSize = -1): ImageSummary {
  let ready = summaries.get(image);
  if (!ready) summaries.set(image, (ready = viewUnused(image)));
  if (containers === 0 && sharedSize === -1) return ready;
  return { ...ready, Containers: containers, SharedSize: sharedSize };
}

function viewUnused(image: ImageRecord): ImageSummary {
  return {
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Created: createdSeconds(image.config.created),
    Size: image.size,
    SharedSize: -1,
    Labels: image.config.config?.Labels ?? null,
    Containers: 0,
  };
}

/** GET /images/{name}/json. */
export function viewImage(
  image: ImageRecord,
  storageDriver: string,
  folders: readonly string[],
): ImageInspect {
  const { config } = image;
  const comment = config.history?.at(-1)?.comment;
  return {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.digests,
    ...(comment && { Comment: comment }),
    ...(config.created !== undefined && { Created: config.created }),
    ...(config.author && { Author: config.author }),
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    ...(config['os.version'] && { OsVersion: config['os.version'] }),
    Size: image.size,
    GraphDriver: { Name: storageDriver, Data: viewFolders(folders) },
    RootFS: {
      Type: 'layers',
      ...(config.rootfs.diff_ids.length > 0 && { Layers: config.rootfs.diff_ids }),
    },
    Metadata: { LastTagTime: image.lastTaggedAt === undefined ? zeroTime : formatTime(image.lastTaggedAt) },
    Config: viewImageConfig(image),
    ...{ [olderFacts]: viewOlderFacts(image) },
  };
}

/** Gone from the newest version. */
function viewOlderFacts({ parent, config }: ImageRecord): Readonly<Record<string, unknown>> {
  return {
    ...(parent !== undefined && { Parent: parent }),
    ...(config.docker_version !== undefined && { DockerVersion: config.docker_version }),
    ...(config.container && { Container: config.container }),
    ...(config.container_config && { ContainerConfig: config.container_config }),
  };
}

/** Layers are never mounted or written where these say; clients only show them. */
function viewFolders([top, ...lower]: readonly string[]): DriverData['Data'] {
  if (top === undefined) return null;
  const beside = (name: string): string => `${dirname(top)}/${name}`;
  return {
    ...(lower.length > 0 && { LowerDir: lower.join(':') }),
    MergedDir: beside('merged'),
    UpperDir: top,
    WorkDir: beside('work'),
  };
}

/** One of an image's manifests. `containers`: ids by image. */
export function viewManifest(
  manifest: ImageManifest,
  containers: ReadonlyMap<string, readonly string[]>,
): ImageManifestSummary {
  const { descriptor, kind, available, contentSize, unpackedSize, image, platform, subject } = manifest;
  const users = (image && containers.get(image)) ?? [];
  return {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: available,
    Size: { Content: contentSize, Total: contentSize + unpackedSize },
    Kind: kind,
    ...(kind === 'image' && {
      ImageData: {
        Platform: platform ?? { architecture: 'unknown', os: 'unknown' },
        Size: { Unpacked: unpackedSize },
        Containers: users.length > 0 ? users : null,
      },
    }),
    ...(kind === 'attestation' && { AttestationData: { For: subject ?? '' } }),
  };
}

/** Only the fields that an image has, and of them those that say something. */
function viewImageConfig(image: ImageRecord): ImageConfig {
  const fields: readonly (keyof ImageConfig)[] = [
    'User',
    'ExposedPorts',
    'Env',
    'Cmd',
    'Healthcheck',
    'ArgsEscaped',
    'Volumes',
    'WorkingDir',
    'Entrypoint',
    'OnBuild',
    'Labels',
    'StopSignal',
    'Shell',
  ];
  const config: Readonly<Record<string, unknown>> = { ...image.config.config };
  const known = fields.map((field): [string, unknown] => [field, config[field]]);
  return Object.fromEntries(known.filter(([, value]) => saysSomething(value)));
}

const saysSomething = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  value !== '' &&
  (typeof value !== 'object' || Object.keys(value).length > 0);

/** GET /images/{name}/history. */
export function viewHistory(history: ReturnType<Images['history']>): readonly ImageHistoryResponseItem[] {
  return history.map((entry) => ({
    Comment: entry.comment ?? '',
    Created: createdSeconds(entry.created),
    CreatedBy: entry.created_by ?? '',
    Id: entry.id,
    Size: entry.size,
    Tags: entry.tags.length > 0 ? entry.tags : null,
  }));
}
