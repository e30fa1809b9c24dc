import type { ImageOutputs } from '#images';
import { mediaTypes, type Descriptor } from '#oci';
import type { AnnotationValues } from './annotations.ts';

/** What an index lists: images with their platforms, then what is said about them. */
export type IndexEntry = Descriptor;

/** A document as BuildKit writes it. */
export const documentText = (document: object): Uint8Array => Buffer.from(JSON.stringify(document, null, 2));

/** Puts an index over manifests, in their order. */
export function putIndex(
  outputs: Pick<ImageOutputs, 'put'>,
  entries: readonly IndexEntry[],
  { isOci, annotations }: { readonly isOci: boolean; readonly annotations: AnnotationValues },
): Promise<Descriptor> {
  const mediaType = isOci ? mediaTypes.ociIndex : mediaTypes.dockerManifestList;
  const index = {
    schemaVersion: 2,
    mediaType,
    manifests: entries.map(entryOf),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
  return outputs.put(mediaType, documentText(index));
}

/** In the order of fields that others write. */
const entryOf = ({
  mediaType,
  digest,
  size,
  annotations,
  platform,
  artifactType,
}: IndexEntry): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
  ...(platform && { platform }),
  ...(artifactType !== undefined && { artifactType }),
});
