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
      const lists = renamed.map(([old, now]): [string, unknown] => {
        return [old, now in usage ? (objectAt(usage, now)['Items'] ?? []) : null];
      });
      const legacy = Object.fromEntries(lists);
      const images = legacy['Images'];
      if (version < apiVersion('1.44') && images !== null) {
        legacy['Images'] = each((image) => ({ ...image, VirtualSize: image['Size'] }))(images);
      }
      const LayersSize = objectAt(usage, 'ImageUsage')['TotalSize'] ?? 0;
      return { LayersSize, ...legacy, ...('Wharf' in usage && { Wharf: usage['Wharf'] }) };
    },
  },
];
