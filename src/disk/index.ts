export type * from './disk.ts';
export type { BuildCache, CacheEntry } from './build-cache.ts';
export type { DiskUser } from './accounting.ts';
export { parseAmount, type Amount } from './free-space.ts';
export { createDisk, type DiskRules } from './local-disk.ts';
export { unpackingWithRoom, withRoom, type Room } from './room.ts';
