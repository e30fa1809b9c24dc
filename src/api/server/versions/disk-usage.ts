import { apiVersion } from '../api-version.ts';
import { each, objectAt, type JsonObject } from './json-object.ts';
import type { Lowering } from './lowering.ts';

/** The field of an older answer and the field that took its place. */
const renamed: readonly (readonly [old: string, now: string])[] = [
  ['Images', 'ImageUsage'],
  ['Containers', 'ContainerUsage'],
  ['Volumes', 'VolumeUsage'],
  ['BuildCache', 'BuildCacheUsage'],
];

/** Older clients get whole lists (lift.ts asks for them) instead of sums. */
export const lowerDiskUsage: readonly Lowering[] = [
  {
    before: '1.52',
    lower: (usage, version): JsonObject => {
      const lists = renamed
        .filter(([, now]) => now in usage)
        .map(([old, now]): [string, unknown] => [old, objectAt(usage, now)['Items'] ?? []]);
      const legacy = Object.fromEntries(lists);
      const images = legacy['Images'];
      if (version < apiVersion('1.44')) {
        legacy['Images'] = each((image) => ({ ...image, VirtualSize: image['Size'] }))(images);
      }
      const layers = objectAt(usage, 'ImageUsage')['TotalSize'];
      return layers === undefined ? legacy : { LayersSize: layers, ...legacy };
    },
  },
];
