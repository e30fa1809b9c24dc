import { also, type Entry } from './entry.ts';

/** Builds from files of definitions. */
export const bake: Entry = {
  summary: 'Build from a file of definitions',
  load: () => import('./commands/buildx/bake.ts'),
};

/** What `builder` has beside building. */
export const builder: Readonly<Record<string, Entry>> = {
  du: { summary: 'Show what the build cache takes on disk', load: () => import('./commands/buildx/du.ts') },
  prune: { summary: 'Remove build cache', load: () => import('./commands/buildx/prune.ts') },
};

/** What `buildx` has beside building: scripts that were written for it go on working. */
export const buildx: Readonly<Record<string, Entry>> = {
  ...builder,
  bake,
  f: also(bake, 'bake'),
  create: {
    summary: 'Not needed: the engine is the builder',
    load: () => import('./commands/buildx/create.ts'),
    hidden: true,
  },
  history: {
    summary: 'Look at builds of the past',
    entries: {
      inspect: {
        summary: 'Show what is known of a build',
        load: () => import('./commands/buildx/history-inspect.ts'),
      },
      logs: {
        summary: 'Show what a build has told',
        load: () => import('./commands/buildx/history-logs.ts'),
      },
      ls: { summary: 'List builds', load: () => import('./commands/buildx/history-ls.ts') },
      rm: { summary: 'Forget builds', load: () => import('./commands/buildx/history-rm.ts') },
    },
  },
  imagetools: {
    summary: 'Look at images in registries',
    entries: {
      inspect: {
        summary: 'Show an image in a registry',
        load: () => import('./commands/buildx/inspect-image.ts'),
      },
    },
  },
  inspect: {
    summary: 'Show what is known of the builder',
    load: () => import('./commands/buildx/inspect.ts'),
  },
  ls: { summary: 'List builders', load: () => import('./commands/buildx/ls.ts') },
  use: {
    summary: 'Choose the builder; there is the default one only',
    load: () => import('./commands/buildx/use.ts'),
  },
  version: { summary: 'Show the version', load: () => import('./commands/buildx/version.ts') },
};
