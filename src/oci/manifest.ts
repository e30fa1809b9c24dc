import { invalidArgument } from '#kernel';
import {
  asArray,
  asDigest,
  asObject,
  asString,
  checkFields,
  isMap,
  isString,
  isStrings,
  parseObject,
  withoutNulls,
} from './json.ts';
import type { JsonObject } from './json.ts';
import { isIndex, isManifest } from './media-types.ts';
import type { Descriptor, Index, Manifest, Platform } from './types.ts';

const manifestName = 'image manifest';
const indexName = 'image index';

const platformFields = {
  os: isString,
  architecture: isString,
  variant: isString,
  'os.version': isString,
  'os.features': isStrings,
};

/** image-spec descriptor.md. Throws invalidArgument. */
export function parseDescriptor(value: unknown, what = manifestName, where = 'descriptor'): Descriptor {
  const descriptor = withoutNulls(asObject(value, what, where));
  asString(descriptor.mediaType, what, `${where}.mediaType`);
  asDigest(descriptor.digest, what, `${where}.digest`);
  const { size } = descriptor;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidArgument(`invalid ${what}: ${where}.size must be a number of bytes`);
  }
  checkFields(
    descriptor,
    { urls: isStrings, annotations: isMap(isString), artifactType: isString },
    what,
    `${where}.`,
  );
  // Every field of the interface has been checked; unknown ones are kept.
  const { platform, ...rest } = descriptor as unknown as Descriptor & { platform?: unknown };
  const parsed = platform == null ? undefined : parseDescriptorPlatform(platform, what, where);
  return parsed ? { ...rest, platform: parsed } : rest;
}

/** Buildkit and others write `{}` or leave fields out: such a platform counts as not given. */
function parseDescriptorPlatform(value: unknown, what: string, where: string): Platform | undefined {
  const platform = asObject(value, what, `${where}.platform`);
  checkFields(platform, platformFields, what, `${where}.platform.`);
  const { os = '', architecture = '' } = platform as unknown as Partial<Platform>;
  // Checked field by field above.
  return os === '' && architecture === '' ? undefined : (platform as unknown as Platform);
}

/** Both documents share their head; schema 1 and documents of two minds are refused. */
function parseHead(bytes: Uint8Array, what: string, isType: (mediaType: string) => boolean): JsonObject {
  const document = parseObject(bytes, what);
  if (document.schemaVersion === 1) {
    throw invalidArgument(
      'unsupported image format: Docker Image manifest version 2, schema 1 was retired; push the image again with a current client',
    );
  }
  if (document.schemaVersion !== 2) {
    throw invalidArgument(
      `invalid ${what}: unrecognized manifest schema version ${JSON.stringify(document.schemaVersion)}`,
    );
  }
  checkFields(document, { mediaType: isString, artifactType: isString, annotations: isMap(isString) }, what);
  const { mediaType } = document;
  if (typeof mediaType === 'string' && mediaType !== '' && !isType(mediaType)) {
    throw invalidArgument(`invalid ${what}: its mediaType is ${JSON.stringify(mediaType)}`);
  }
  return document;
}

/** An OCI or Docker schema 2 manifest. Throws invalidArgument. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const document = parseHead(bytes, manifestName, isManifest);
  // image-spec manifest.md: a document must not be readable as two kinds.
  if (document.manifests !== undefined) throw invalidArgument(`invalid ${manifestName}: it has "manifests"`);
  const layers = asArray(document.layers ?? [], manifestName, 'layers');
  // The head was checked by parseHead().
  return {
    ...(document as unknown as Manifest),
    config: parseDescriptor(document.config, manifestName, 'config'),
    layers: layers.map((layer, n) => parseDescriptor(layer, manifestName, `layers[${n}]`)),
  };
}

/** An OCI index or Docker manifest list. Throws invalidArgument. */
export function parseIndex(bytes: Uint8Array): Index {
  const document = parseHead(bytes, indexName, isIndex);
  if (document.layers !== undefined || document.config !== undefined) {
    throw invalidArgument(`invalid ${indexName}: it has "layers" or "config"`);
  }
  const manifests = asArray(document.manifests ?? [], indexName, 'manifests');
  // The head was checked by parseHead().
  return {
    ...(document as unknown as Index),
    manifests: manifests.map((entry, n) => parseDescriptor(entry, indexName, `manifests[${n}]`)),
  };
}
