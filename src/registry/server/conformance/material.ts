import { randomBytes } from 'node:crypto';
import { digestOf, mediaTypes, type Digest, type DigestAlgorithm } from '#oci';
import type { Bytes } from './conformance-client.ts';

export interface MaterialBlob {
  readonly digest: Digest;
  readonly bytes: Bytes;
}

export interface MaterialManifest extends MaterialBlob {
  readonly mediaType: string;
  readonly tags: readonly string[];
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly [more: string]: unknown;
}

interface ImageOptions {
  readonly layers?: number;
  readonly layerType?: string;
  /** Layers are described, but not pushed. */
  readonly isElsewhere?: boolean;
  readonly tags?: readonly string[];
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly configFields?: Readonly<Record<string, unknown>>;
  /** Descriptors carry their content. */
  readonly hasData?: boolean;
}

interface ArtifactOptions {
  readonly type: string;
  readonly layers?: number;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
}

/** Content that is pushed, looked at and deleted as a whole: what it needs stands before what needs it. */
export class Material {
  readonly algorithm: DigestAlgorithm;
  readonly blobs: MaterialBlob[] = [];
  readonly manifests: MaterialManifest[] = [];

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.algorithm = algorithm;
  }

  blob(
    mediaType: string,
    bytes: Bytes,
    options: { isElsewhere?: boolean; hasData?: boolean } = {},
  ): Descriptor {
    const digest = digestOf(bytes, this.algorithm);
    const isNew = this.blobs.every((blob) => blob.digest !== digest);
    if (isNew && !options.isElsewhere) this.blobs.push({ digest, bytes });
    const data = options.hasData ? { data: Buffer.from(bytes).toString('base64') } : {};
    return { mediaType, digest, size: bytes.length, ...data };
  }

  image(options: ImageOptions = {}): Descriptor {
    const { layers = 2, layerType = mediaTypes.ociLayerGzip, isElsewhere = false, hasData = false } = options;
    const contents = Array.from({ length: layers }, () => randomBytes(512));
    const config = {
      architecture: 'amd64',
      os: 'linux',
      created: '2020-01-02T03:04:05Z',
      author: randomBytes(8).toString('hex'),
      rootfs: { type: 'layers', diff_ids: contents.map((bytes) => digestOf(bytes, this.algorithm)) },
      ...options.configFields,
    };
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: this.blob(mediaTypes.ociConfig, bytesOf(config), { hasData }),
      layers: contents.map((bytes) => this.blob(layerType, bytes, { isElsewhere, hasData })),
      ...options.fields,
    };
    return this.#add(document, options.tags, mediaTypes.ociConfig);
  }

  /** "Artifact usage" of the image specification: a manifest of something that is no image. */
  artifact({ type, layers = 1, subject, annotations, tags }: ArtifactOptions): Descriptor {
    const empty = (): Descriptor => this.blob('application/vnd.oci.empty.v1+json', bytesOf({}));
    const contents = Array.from({ length: layers }, () => this.blob('text/plain', randomBytes(64)));
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: type,
      config: empty(),
      layers: layers === 0 ? [empty()] : contents,
      ...(subject && { subject }),
      ...(annotations && { annotations }),
    };
    return this.#add(document, tags, type);
  }

  index(
    manifests: readonly Descriptor[],
    tags: readonly string[] = [],
    fields: Readonly<Record<string, unknown>> = {},
  ): Descriptor {
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...fields };
    const { artifactType } = fields;
    return this.#add(document, tags, typeof artifactType === 'string' ? artifactType : undefined);
  }

  #add(
    document: { readonly mediaType: string; readonly subject?: unknown; readonly annotations?: unknown },
    tags: readonly string[] = [],
    artifactType: string | undefined,
  ): Descriptor {
    const bytes = bytesOf(document);
    const digest = digestOf(bytes, this.algorithm);
    const { mediaType } = document;
    // A push to a tag says nothing of an algorithm: it would make a second manifest, under sha256.
    const own = this.algorithm === 'sha256' ? tags : [];
    // Made by the methods above only.
    const subject = document.subject as Descriptor | undefined;
    const annotations = document.annotations as Record<string, string> | undefined;
    this.manifests.push({
      digest,
      bytes,
      mediaType,
      tags: own,
      subject: subject?.digest,
      artifactType,
      annotations,
    });
    return { mediaType, digest, size: bytes.length };
  }
}

export const bytesOf = (document: object): Bytes => new TextEncoder().encode(JSON.stringify(document));
