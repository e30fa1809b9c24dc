import type { ImageSummary } from '#api/types';
import { shortId } from '#kernel';
import type { Listing } from '../../format/listing.ts';
import { ago, goTime } from '../../format/time.ts';
import { decimalSize } from '../../format/units.ts';

/** One line of `images`: an image under one of its names. */
export interface ImageRow {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const none = '<none>';

/**
 * The lines for each image: one per tag, and with `digests` one per digest of it; with `dangling` also one for
 * each digest whose tag is gone.
 */
export function imageRows(
  images: readonly ImageSummary[],
  options: { digests: boolean; dangling: boolean },
): ImageRow[] {
  return images.flatMap((image) => {
    const tags = byRepository(image.RepoTags, /^(.*):([^:/]+)$/);
    const digests = byRepository(image.RepoDigests, /^(.*)@(.+)$/);
    const rows: ImageRow[] = [];
    for (const [repository, names] of tags) {
      const found = digests.get(repository) ?? [];
      digests.delete(repository);
      for (const tag of names) {
        if (!options.digests || found.length === 0) rows.push({ image, repository, tag, digest: none });
        else rows.push(...found.map((digest) => ({ image, repository, tag, digest })));
      }
    }
    for (const [repository, found] of digests) {
      // The tag is gone, the digest still names the repository.
      if (!options.dangling) rows.push({ image, repository, tag: none, digest: '' });
      else rows.push(...found.map((digest) => ({ image, repository, tag: none, digest })));
    }
    return rows.length > 0 ? rows : [{ image, repository: none, tag: none, digest: none }];
  });
}

function byRepository(names: readonly string[] | null, pattern: RegExp): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names ?? []) {
    const [, repository = '', rest = ''] = pattern.exec(name) ?? [];
    if (repository === '' || repository === none) continue;
    found.set(repository, [...(found.get(repository) ?? []), rest]);
  }
  return found;
}

const headers = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};

/** The columns of a list of images. */
export const imageListing = (options: { truncate: boolean; now: number }): Listing<ImageRow> => ({
  typeName: '*formatter.imageContext',
  headers,
  columns: ({ image, repository, tag, digest }) => {
    const shared = image.SharedSize;
    return {
      ID: () => (options.truncate ? shortId(image.Id) : image.Id),
      Repository: () => repository,
      Tag: () => tag,
      Digest: () => digest,
      CreatedSince: () => (image.Created > 0 ? ago(image.Created * 1000, options.now) : 'N/A'),
      CreatedAt: () => goTime(image.Created * 1000),
      Size: () => decimalSize(image.Size, 3),
      Containers: () => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
      VirtualSize: () => decimalSize(image.Size),
      SharedSize: () => (shared === -1 ? 'N/A' : decimalSize(shared)),
      UniqueSize: () => (shared === -1 ? 'N/A' : decimalSize(image.Size - shared)),
    };
  },
});
