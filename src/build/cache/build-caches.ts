import type { ImageBuilding } from '#images';
import type { ExportResponse, ExportStep } from '../export/exporter.ts';
import { exportCache, type CacheTarget, type SolvedCache } from './cache-export.ts';
import { cacheOfImage, readCache, type CacheOrigin } from './cache-origin.ts';
import { ImportedCaches, type ImportedCache } from './imported-caches.ts';

/** Caches that a client gives to a build, and what it wants of the build's own. */
export interface CacheRequest {
  readonly from: readonly CacheOrigin[];
  readonly to: readonly CacheTarget[];
  /** Whether images say how they were made. */
  readonly isInline: boolean;
}

export const noCaches: CacheRequest = { from: [], to: [], isInline: false };

/** Does something, and tells clients of it under a title. */
export type Telling = <T>(title: string, work: (step: ExportStep) => Promise<T>) => Promise<T>;

/** Reads the caches that a build is given. One that cannot be read is told, and done without. */
export async function importCaches(
  origins: readonly CacheOrigin[],
  building: ImageBuilding,
  telling: Telling,
  { signal }: { readonly signal: AbortSignal },
): Promise<ImportedCaches> {
  const read = async ({ title, image, repository }: CacheOrigin): Promise<readonly ImportedCache[]> => {
    try {
      return [
        await telling(title, async (step) => {
          const here = image === undefined ? undefined : await imageCache(image, building);
          if (here || !repository) return here ?? nothing;
          return readCache(repository, step, { signal });
        }),
      ];
    } catch {
      signal.throwIfAborted();
      return [];
    }
  };
  return new ImportedCaches((await Promise.all(origins.map(read))).flat());
}

const nothing: ImportedCache = { cache: { steps: [], mounts: [] }, from: undefined };

/** What an image that is here says of itself; undefined where it says nothing. */
async function imageCache(reference: string, building: ImageBuilding): Promise<ImportedCache | undefined> {
  const image = await building.describe(reference);
  if (!image) return undefined;
  const cache = cacheOfImage(image.config, () => image.layers);
  return cache.steps.length > 0 ? { cache, from: undefined } : undefined;
}

/** Puts the cache of a build wherever it is wanted. */
export async function exportCaches(
  targets: readonly CacheTarget[],
  solved: SolvedCache,
  telling: Telling,
): Promise<ExportResponse> {
  let response: ExportResponse = {};
  for (const target of targets) {
    try {
      const told = await telling(target.title, (step) => exportCache(target, solved, step));
      response = { ...response, ...told };
    } catch (error) {
      solved.signal.throwIfAborted();
      if (!target.ignoresErrors) throw error;
    }
  }
  return response;
}
