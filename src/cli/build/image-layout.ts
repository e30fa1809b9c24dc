import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '#kernel';

/** An image, or a cache, that a folder laid out as an OCI layout names (Image Layout Specification, index.json). */
export interface LayoutEntry {
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Layout {
  readonly manifests?: readonly LayoutEntry[];
}

const tagKey = 'org.opencontainers.image.ref.name';
const nameKey = 'io.containerd.image.name';

/** What the folder names; nothing where there is no folder. */
function entriesIn(folder: string): readonly LayoutEntry[] {
  try {
    const layout = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Layout; // its parts are checked where they are used
    return layout.manifests ?? [];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The digest that a tag stands for. */
export const digestIn = (folder: string, tag: string): string | undefined =>
  entriesIn(folder).find(({ annotations }) => annotations?.[tagKey] === tag)?.digest;

/** Under what an entry stands: a tag alone, or an image's whole name, as containerd writes it. */
export type LayoutName = { readonly tag: string; readonly name?: string };

/** Names an entry whose blobs are there, in place of what had the name before. */
export function nameIn(folder: string, { tag, name }: LayoutName, entry: LayoutEntry): void {
  const isSame = ({ annotations }: LayoutEntry): boolean =>
    name === undefined
      ? annotations?.[tagKey] === tag && annotations[nameKey] === undefined
      : annotations?.[nameKey] === name;
  const others = entriesIn(folder).filter((other) => !isSame(other));
  const annotations = { ...entry.annotations, [tagKey]: tag, ...(name !== undefined && { [nameKey]: name }) };
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [...others, { ...entry, annotations }],
  };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const path = join(folder, 'index.json');
  writeFileSync(`${path}.new`, JSON.stringify(index));
  renameSync(`${path}.new`, path);
}
