import {
  familiarString,
  isIndex,
  objectOf,
  parseIndex,
  parseManifest,
  parseReference,
  withDefaultTag,
  type Platform,
} from '#oci';
import type { Context } from '../../context.ts';
import { imageManifest, type ImageManifest } from './image-manifest.ts';
import { listName } from './manifest-store.ts';
import { RegistryAccess, type RemoteDocument } from './registry-access.ts';

/** What a registry has under a name: one manifest, or those of a list. */
export interface RemoteManifests {
  readonly isList: boolean;
  readonly document: RemoteDocument;
  readonly manifests: readonly ImageManifest[];
}

/** Throws `no such manifest` in Docker's words. */
export async function fetchManifests(
  context: Context,
  name: string,
  insecure: boolean,
): Promise<RemoteManifests> {
  const reference = withDefaultTag(parseReference(name));
  const access = new RegistryAccess(context.config, reference, insecure);
  const document = await access.findManifest(objectOf(reference)).catch(() => undefined);
  if (!document) throw new Error(`no such manifest: ${familiarString(reference)}`);
  const shown = listName(name);
  if (!isIndex(document.mediaType)) {
    const manifest = imageManifest(shown, document, await platformOf(access, document));
    return { isList: false, document, manifests: [manifest] };
  }
  const manifests: ImageManifest[] = [];
  for (const entry of parseIndex(document.bytes).manifests) {
    const found = await access.findManifest(entry.digest);
    if (!found) throw new Error(`no such manifest: ${shown}@${entry.digest}`);
    const platform = entry.platform ?? (await platformOf(access, found));
    manifests.push(imageManifest(`${shown}@${entry.digest}`, found, platform));
  }
  return { isList: true, document, manifests };
}

/** As the image's configuration says it. */
async function platformOf(access: RegistryAccess, { bytes }: RemoteDocument): Promise<Platform> {
  const blob = await access.readBlob(parseManifest(bytes).config.digest);
  const fields = JSON.parse(Buffer.from(blob).toString()) as Partial<Platform>;
  const { architecture = '', os = '', variant, 'os.version': version } = fields;
  return {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    ...(version !== undefined && { 'os.version': version }),
  };
}
