import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '#kernel';
import { familiarString, parseReference, withDefaultTag } from '#oci';
import type { ImageManifest } from './image-manifest.ts';

const fileName = (name: string): string => name.replaceAll(':', '-').replaceAll('/', '_');

/** `x` → `docker.io/library/x:latest`, in the short form that is shown. */
export const listName = (text: string): string => familiarString(withDefaultTag(parseReference(text)));

/** Lists that are being made, in the client's configuration folder where Docker's command line has them too. */
export class ManifestStore {
  readonly #folder: string;

  constructor(configFolder: string) {
    this.#folder = join(configFolder, 'manifests');
  }

  /** The manifests of a list; undefined where there is no such list. */
  list(list: string): readonly ImageManifest[] | undefined {
    const folder = join(this.#folder, storedName(list));
    try {
      return readdirSync(folder)
        .sort()
        .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as ImageManifest);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  find(list: string, name: string): ImageManifest | undefined {
    return this.list(list)?.find(({ Ref }) => storedName(Ref) === storedName(name));
  }

  save(list: string, manifest: ImageManifest): void {
    const folder = join(this.#folder, storedName(list));
    mkdirSync(folder, { recursive: true });
    const path = join(folder, storedName(manifest.Ref));
    writeFileSync(`${path}.tmp`, JSON.stringify(manifest), { mode: 0o644 });
    renameSync(`${path}.tmp`, path);
  }

  remove(list: string): void {
    rmSync(join(this.#folder, storedName(list)), { recursive: true, force: true });
  }
}

/** Docker's command line names folders and files by references as they were written out in full. */
const storedName = (text: string): string => {
  const reference = withDefaultTag(parseReference(text));
  return fileName(`${reference.domain}/${reference.path}${suffixOf(reference)}`);
};

const suffixOf = ({ tag, digest }: ReturnType<typeof parseReference>): string =>
  (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
