import { join } from 'node:path';
import type { ContainerContext } from '../context.ts';

/** Where a running container's spec lies; gone when it has ended. */
export const bundleOf = (ctx: ContainerContext, id: string): string => join(ctx.options.bundles, id);

/** Where its root file system is mounted. */
export const rootOf = (ctx: ContainerContext, id: string): string => join(bundleOf(ctx, id), 'rootfs');

/** What of a container stays from run to run: its log and its files of /etc. */
export const stateFolderOf = (ctx: ContainerContext, id: string): string => join(ctx.options.root, id);
