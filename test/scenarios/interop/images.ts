import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { LayoutBlobs, smallImage, type ImagePlatform, type SmallImage } from '../../setup/index.ts';

/** What has a digest, a size and a type. */
export type Described = ReturnType<LayoutBlobs['put']>;

/** An image or an index as blobs, and the document at its top. */
export interface Sample {
  readonly name: string;
  readonly blobs: LayoutBlobs;
  readonly target: Described;
  /** Id of its image for amd64. */
  readonly id: string;
}

const docker = 'application/vnd.docker.distribution.manifest';
const oci = 'application/vnd.oci.image';

const amd64: ImagePlatform = { os: 'linux', architecture: 'amd64' };
const arm: ImagePlatform = { os: 'linux', architecture: 'arm', variant: 'v7' };

/** Unlike any other run's, so that no cache of a client knows it. */
const image = (platform: ImagePlatform): SmallImage =>
  smallImage(
    [
      [
        { name: 'etc', folder: true },
        { name: 'etc/base', content: randomBytes(3000) },
      ],
      [
        { name: 'own', content: `${platform.architecture}\n` },
        { name: 'salt', content: randomBytes(16) },
      ],
    ],
    { platform, settings: { Cmd: ['/own'], Labels: { for: platform.architecture } } },
  );

interface Shape {
  readonly config: string;
  readonly manifest: string;
  readonly layer: string;
  readonly compress: (layer: Buffer) => Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

const shapes = {
  gzip: {
    config: `${oci}.config.v1+json`,
    manifest: `${oci}.manifest.v1+json`,
    layer: `${oci}.layer.v1.tar+gzip`,
    compress: (layer) => gzipSync(layer),
  },
  zstd: {
    config: `${oci}.config.v1+json`,
    manifest: `${oci}.manifest.v1+json`,
    layer: `${oci}.layer.v1.tar+zstd`,
    compress: (layer) => zstdCompressSync(layer),
    annotations: { 'org.example.note': 'zstd' },
  },
  docker: {
    config: 'application/vnd.docker.container.image.v1+json',
    manifest: `${docker}.v2+json`,
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    compress: (layer) => gzipSync(layer),
  },
} as const satisfies Readonly<Record<string, Shape>>;

function put(blobs: LayoutBlobs, { config, layers }: SmallImage, shape: Shape): Described {
  const document = {
    schemaVersion: 2,
    mediaType: shape.manifest,
    config: blobs.put(shape.config, config),
    layers: layers.map((layer) => blobs.put(shape.layer, shape.compress(layer))),
    ...(shape.annotations && { annotations: shape.annotations }),
  };
  return blobs.put(shape.manifest, Buffer.from(JSON.stringify(document)));
}

function putIndex(
  blobs: LayoutBlobs,
  mediaType: string,
  manifests: readonly object[],
  annotations?: object,
): Described {
  const document = { schemaVersion: 2, mediaType, manifests, ...(annotations && { annotations }) };
  return blobs.put(mediaType, Buffer.from(JSON.stringify(document)));
}

/** An OCI index for two platforms, one of them in zstd, with annotations. */
function ociIndex(): Sample {
  const blobs = new LayoutBlobs();
  const own = image(amd64);
  const manifests = [
    { ...put(blobs, own, shapes.gzip), platform: amd64 },
    { ...put(blobs, image(arm), shapes.zstd), platform: arm, annotations: { 'org.example.entry': 'second' } },
  ];
  const target = putIndex(blobs, `${oci}.index.v1+json`, manifests, { 'org.example.index': 'yes' });
  return { name: 'oci-index', blobs, target, id: idOf(blobs, own) };
}

/** As the builder makes it: each platform has an attestation beside it. */
function attested(): Sample {
  const blobs = new LayoutBlobs();
  const own = image(amd64);
  const target = blobs.index([own, image(arm)], { attest: true });
  return { name: 'attested', blobs, target, id: idOf(blobs, own) };
}

function dockerList(): Sample {
  const blobs = new LayoutBlobs();
  const own = image(amd64);
  const manifests = [
    { ...put(blobs, own, shapes.docker), platform: amd64 },
    { ...put(blobs, image(arm), shapes.docker), platform: arm },
  ];
  return {
    name: 'docker-list',
    blobs,
    target: putIndex(blobs, `${docker}.list.v2+json`, manifests),
    id: idOf(blobs, own),
  };
}

function single(name: string, shape: Shape): Sample {
  const blobs = new LayoutBlobs();
  const own = image(amd64);
  return { name, blobs, target: put(blobs, own, shape), id: idOf(blobs, own) };
}

/** The configuration has been put already. */
const idOf = (blobs: LayoutBlobs, { config }: SmallImage): string => blobs.put('', config).digest;

/** All shapes that images have in registries. */
export const samples = (): readonly Sample[] => [
  ociIndex(),
  attested(),
  dockerList(),
  single('oci-gzip', shapes.gzip),
  single('oci-zstd', shapes.zstd),
  single('docker-schema2', shapes.docker),
];

/** A signature or the like: no image, and bound to another document. */
export function referrer(subject: Described): Sample {
  const blobs = new LayoutBlobs();
  const document = {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    artifactType: 'application/vnd.example.signature',
    config: blobs.put('application/vnd.oci.empty.v1+json', Buffer.from('{}')),
    layers: [blobs.put('text/plain', randomBytes(100))],
    subject,
    annotations: { 'org.example.signed-by': 'nobody' },
  };
  const target = blobs.put(document.mediaType, Buffer.from(JSON.stringify(document)));
  return { name: 'referrer', blobs, target, id: '' };
}
