import type { ContainerRecord } from '#containers';
import type { ImageRecord } from '#images';
import { notFound } from '#kernel';
import type { VolumeRecord } from '#volumes';
import type { Backends } from '../backends.ts';

interface Things {
  readonly images: readonly ImageRecord[];
  readonly containers: readonly ContainerRecord[];
  readonly volumes: readonly VolumeRecord[];
}

/** Everything takes 7 bytes, and there is no bin. */
export function fakeDisk(
  { images, containers, volumes }: Things,
  note: (name: string) => (...args: unknown[]) => Promise<void>,
): Backends['disk'] {
  return {
    use: async (kinds) => {
      const sevens = <Key>(keys: readonly Key[]): ReadonlyMap<Key, number> =>
        new Map(keys.map((key) => [key, 7]));
      const each = new Map(images.map(({ id }) => [id, { bytes: 7, shared: 0 }] as const));
      return Promise.resolve({
        ...(kinds.has('image') && { images: { each, layers: 7 * images.length, reclaimable: 0 } }),
        ...(kinds.has('container') && { containers: sevens(containers.map(({ id }) => id)) }),
        ...(kinds.has('volume') && { volumes: sevens(volumes.map(({ name }) => name)) }),
      });
    },
    prune: () => ({
      binned: false,
      image: async (id) => {
        await note('pruneImage')(id);
        return { removed: [{ Deleted: id }], bytes: 7 };
      },
      volume: async (name) => {
        await note('removeVolume')(name);
        return 7;
      },
    }),
    bin: async () => Promise.resolve([]),
    undo: async () => Promise.reject(notFound('the bin is empty: there is nothing to undo')),
    empty: async () => Promise.resolve(0),
    collect: async () =>
      Promise.resolve({
        space: { total: 100, free: 50, low: 10, high: 15 },
        wanted: 0,
        removed: [],
        freed: 0,
      }),
  };
}
