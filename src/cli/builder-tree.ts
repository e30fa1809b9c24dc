import { also, type Entry } from './entry.ts';

/** Builds from files of definitions. */
export const bake: Entry = {
  summary: 'Build from a file of definitions',
  load: () => import('./commands/buildx/bake.ts'),
};

/** What `buildx` has beside building. */
export const buildx: Readonly<Record<string, Entry>> = {
  bake,
  f: also(bake, 'bake'),
};
