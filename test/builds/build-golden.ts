import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What a build of the corpus comes to. */
export type BuildResult = BuiltImage | { readonly error: string };

export interface BuiltImage {
  readonly platform: string;
  readonly author?: string;
  /** The `config` of the image's configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Without times. */
  readonly history: readonly Readonly<Record<string, unknown>>[];
  readonly layers: number;
  /** Path → what stands there, where it differs from the base image (image-tree.ts). */
  readonly tree: Readonly<Record<string, string>>;
}

const folder = new URL('../golden/builds/', import.meta.url);
const groupOf = (name: string): string => name.split('/', 1)[0] ?? name;

/** All golden results of a group by case name; empty where nothing was recorded. */
export function readBuildResults(group: string): Record<string, BuildResult> {
  try {
    return JSON.parse(readFileSync(new URL(`${group}.json`, folder), 'utf8')) as Record<string, BuildResult>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

export const readBuildResult = (name: string): BuildResult | undefined =>
  readBuildResults(groupOf(name))[name];

/** Puts results into their groups' files, one case a line, beside those that are there. */
export function writeBuildResults(results: ReadonlyMap<string, BuildResult>): void {
  mkdirSync(folder, { recursive: true });
  for (const group of new Set([...results.keys()].map(groupOf))) {
    const all = { ...readBuildResults(group) };
    for (const [name, result] of results) if (groupOf(name) === group) all[name] = result;
    const rows = Object.entries(all)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, result]) => `${JSON.stringify(name)}: ${JSON.stringify(result)}`);
    writeFileSync(new URL(`${group}.json`, folder), `{\n${rows.join(',\n')}\n}\n`);
  }
}
