import type { ContainerContext } from './context.ts';
import type { ContainerMount } from './container-record.ts';

/** The container that a snapshot belongs to: its root's is named by its id, those that hold images by id and number. */
export const containerOfSnapshot = (key: string): string | undefined =>
  /^([0-9a-f]{64})(?:-\d+)?$/.exec(key)?.[1];

const keysOf = (id: string, mounts: readonly ContainerMount[]): ReadonlyMap<string, string> => {
  const chains = new Set(mounts.flatMap(({ image }) => image?.chainId ?? []));
  return new Map([...chains].map((chainId, index) => [`${id}-${index}`, chainId]));
};

/** Keeps the layers of mounted images for as long as the container is there, whatever becomes of their names. */
export async function holdImages(
  ctx: ContainerContext,
  id: string,
  mounts: readonly ContainerMount[],
): Promise<void> {
  for (const [key, chainId] of keysOf(id, mounts)) await ctx.options.snapshots.prepare(key, chainId);
}

/** Idempotent. */
export async function dropImages(
  ctx: ContainerContext,
  id: string,
  mounts: readonly ContainerMount[],
): Promise<void> {
  for (const key of keysOf(id, mounts).keys()) await ctx.options.snapshots.remove(key);
}
