import type { BuildCache, ContainerSummary, ImageSummary, LegacyDiskUsage, Volume } from '#api/types';
import { shortId } from '#kernel';
import { Row } from '../../format/go-value.ts';
import { renderListing } from '../../format/listing.ts';
import type { Listing } from '../../format/listing.ts';
import { Template } from '../../format/template.ts';
import { ago } from '../../format/time.ts';
import { decimalSize } from '../../format/units.ts';
import { containerListing } from '../container/listing.ts';
import type { ImageRow } from '../image/listing.ts';
import { imageListing } from '../image/listing.ts';
import { volumeListing } from '../volume/listing.ts';

/** Every object with its size: `system df -v`. */
export function describeUsage(usage: LegacyDiskUsage, format: string, now: number): string {
  const images = (usage.Images ?? []).map(firstName);
  const cache = [...(usage.BuildCache ?? [])].sort(byLastUse);
  const isTable = format === '' || format === 'table';
  const listings = {
    images: imageListing({ truncate: isTable, now }),
    containers: containerListing({ truncate: isTable, now }),
    cache: cacheListing(now),
  };
  if (!isTable) {
    const rows = <T>(items: readonly T[] | null | undefined, listing: Listing<T>): Row[] =>
      (items ?? []).map((item) => new Row(listing.typeName, listing.columns(item)));
    const data = {
      Images: rows(
        images.map((row) => ({ ...row, digest: '' })),
        listings.images,
      ),
      Containers: rows<ContainerSummary>(usage.Containers, listings.containers),
      Volumes: rows<Volume>(usage.Volumes, volumeListing),
      BuildCache: rows<BuildCache>(cache, listings.cache),
    };
    return `${new Template(format === 'json' ? '{{json .}}' : format).execute(data)}\n`;
  }
  const cacheSize = (usage.BuildCache ?? [])
    .filter(({ Shared }) => !Shared)
    .reduce((sum, { Size }) => sum + Size, 0);
  return [
    'Images space usage:\n\n',
    renderListing(
      images,
      'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
      listings.images,
    ),
    '\nContainers space usage:\n\n',
    renderListing(
      usage.Containers ?? [],
      'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
      // Without the virtual size, which counts the image.
      {
        ...listings.containers,
        columns: (item) => ({
          ...listings.containers.columns(item),
          Size: () => decimalSize(item.SizeRw ?? 0, 3),
        }),
      },
    ),
    '\nLocal Volumes space usage:\n\n',
    renderListing(usage.Volumes ?? [], 'table {{.Name}}\t{{.Links}}\t{{.Size}}', volumeListing),
    `\nBuild cache usage: ${decimalSize(cacheSize)}\n\n`,
    renderListing(
      cache,
      'table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
      listings.cache,
    ),
  ].join('');
}

/** Never used first, then the least recently used. */
function byLastUse(a: BuildCache, b: BuildCache): number {
  const [left, right] = [a, b].map(({ LastUsedAt }) => (LastUsedAt ? Date.parse(LastUsedAt) : -Infinity));
  if (left === right) return a.ID < b.ID ? -1 : 1;
  return (left ?? 0) < (right ?? 0) ? -1 : 1;
}

/** One line for each image, under its first tag. */
function firstName(image: ImageSummary): ImageRow {
  const [name = '<none>:<none>'] = (image.RepoTags as readonly string[] | null) ?? [];
  const colon = name.lastIndexOf(':');
  return { image, repository: name.slice(0, colon), tag: name.slice(colon + 1), digest: '' };
}

const cacheListing = (now: number): Listing<BuildCache> => ({
  typeName: '*formatter.buildCacheContext',
  headers: {
    ID: 'CACHE ID',
    Parent: 'PARENT',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
    InUse: 'IN USE',
  },
  columns: (item) => ({
    ID: () => shortId(item.ID) + (item.InUse ? '*' : ''),
    Parent: () => (item.Parents ?? []).map(shortId).join(', '),
    CacheType: () => item.Type,
    Description: () => item.Description,
    Size: () => decimalSize(item.Size, 3),
    CreatedAt: () => item.CreatedAt,
    CreatedSince: () => ago(Date.parse(item.CreatedAt), now),
    LastUsedAt: () => item.LastUsedAt ?? '',
    LastUsedSince: () => (item.LastUsedAt ? ago(Date.parse(item.LastUsedAt), now) : ''),
    UsageCount: () => String(item.UsageCount),
    InUse: () => String(item.InUse),
    Shared: () => String(item.Shared),
  }),
});
