import {
  canonicalString,
  hostPlatform,
  parseReference,
  rankByPlatform,
  type Descriptor,
  type Digest,
} from '#oci';
import type { AnnotationValues } from './annotations.ts';
import type { ExportResponse } from './exporter.ts';
import type { ImageForm } from './image-form.ts';
import type { WrittenImage, WrittenManifest } from './image-writer.ts';

/** A name as clients are told it: with its registry, and a tag where one was given. */
export const shown = (name: string): string => canonicalString(parseReference(name));

/** The image that is for this host; where there is none, the first. */
export function ofHost({ manifests }: WrittenImage): WrittenManifest {
  const [best = manifests[0]] = rankByPlatform(hostPlatform(), manifests);
  if (!best) throw new TypeError('a written image has a manifest');
  return best;
}

/** Annotations of the descriptor that leads to an image, in an archive or in what clients are told. */
export function descriptorAnnotations(form: ImageForm, written: WrittenImage): AnnotationValues {
  const { manifest, platform } = ofHost(written);
  const isIndex = written.target.digest !== manifest.digest;
  return isIndex ? form.annotations.indexDescriptor : form.annotations.manifestDescriptor(platform);
}

/** What clients are told of an image, by the names that BuildKit gives it. */
export function responseOf(
  { mediaType, digest, size }: Descriptor,
  {
    config,
    names,
    annotations,
  }: {
    /** Of an image alone, or of the one of an index that is kept here. */
    readonly config?: Digest;
    readonly names: readonly string[];
    readonly annotations: AnnotationValues;
  },
): ExportResponse {
  const isAnnotated = Object.keys(annotations).length > 0;
  const descriptor = { mediaType, digest, size, ...(isAnnotated && { annotations }) };
  return {
    'containerimage.digest': digest,
    'containerimage.descriptor': Buffer.from(JSON.stringify(descriptor)).toString('base64'),
    ...(config !== undefined && { 'containerimage.config.digest': config }),
    ...(names.length > 0 && { 'image.name': names.map(shown).join(',') }),
  };
}
