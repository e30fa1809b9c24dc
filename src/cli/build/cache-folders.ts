import { mkdirSync } from 'node:fs';
import { digestIn, nameIn, type LayoutEntry } from './image-layout.ts';
import type { Setting } from './solve.ts';

/** The caches of a build, those in folders of this machine found. */
export interface CacheFolders {
  readonly imports: readonly Setting[];
  readonly exports: readonly Setting[];
  /** Folders by the names under which the engine asks for what is in them. */
  readonly stores: ReadonlyMap<string, string>;
  /** Names in each folder what the engine has written, once the build has said what that is. */
  finish(response: Readonly<Record<string, string>>): void;
}

/** A cache that is not there yet is left out, and `warned` is told. Throws in buildx's words. */
export function findCacheFolders(
  from: readonly Setting[],
  to: readonly Setting[],
  warned: (text: string) => void,
): CacheFolders {
  const folders = new Map<string, string>();
  const targets: (readonly [folder: string, tag: string])[] = [];
  const imports = from.flatMap((setting): readonly Setting[] => {
    if (setting.type !== 'local') return [setting];
    const { src = '', tag = 'latest', digest = digestIn(src, tag) } = setting.attrs;
    if (src === '') throw new Error('local cache importer requires src');
    if (digest === undefined) {
      warned(`local cache import at ${src} skipped: no digest found for tag ${tag}`);
      return [];
    }
    folders.set(`local:${src}`, src);
    return [{ ...setting, attrs: { ...setting.attrs, digest } }];
  });
  for (const { type, attrs } of to) {
    if (type !== 'local') continue;
    const { dest = '', tag = 'latest' } = attrs;
    if (dest === '') throw new Error('local cache exporter requires dest');
    mkdirSync(dest, { recursive: true });
    folders.set(`local:${dest}`, dest);
    targets.push([dest, tag]);
  }
  return {
    imports,
    exports: to,
    stores: folders,
    finish: (response) => {
      const manifest = response['cache.manifest'];
      if (manifest === undefined) return;
      // The engine's own JSON.
      for (const [folder, tag] of targets) nameIn(folder, { tag }, JSON.parse(manifest) as LayoutEntry);
    },
  };
}
