import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { makeTar, type TarEntry } from './tar.ts';

/** An image in memory: its configuration and its layers, uncompressed tars from the lowest up. */
export interface SmallImage {
  readonly config: Buffer;
  readonly layers: readonly Buffer[];
  readonly platform: ImagePlatform;
}

export interface ImagePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface SmallImageOptions {
  readonly platform?: ImagePlatform;
  readonly created?: string;
  readonly author?: string;
  /** The `config` object of the configuration. */
  readonly settings?: object;
  /** Instead of one entry for each layer. */
  readonly history?: readonly object[];
}

const sha256 = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** The platform that the engine runs on. */
export const ownPlatform: ImagePlatform = {
  os: 'linux',
  architecture: process.arch === 'x64' ? 'amd64' : process.arch,
};

/** An image of a few files; the same arguments give the same image. */
export function smallImage(
  layers: readonly (readonly TarEntry[])[],
  options: SmallImageOptions = {},
): SmallImage {
  const { platform = ownPlatform, created = '2024-03-04T05:06:07.089Z', author, settings = {} } = options;
  const tars = layers.map((entries) => makeTar(entries));
  const history = tars.map((_, n) => ({ created, created_by: `/bin/sh -c #(nop) ADD layer ${n} in /` }));
  const config = {
    architecture: platform.architecture,
    ...(author !== undefined && { author }),
    config: settings,
    created,
    history: options.history ?? history,
    os: platform.os,
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
    ...(platform.variant !== undefined && { variant: platform.variant }),
  };
  return { config: Buffer.from(JSON.stringify(config)), layers: tars, platform };
}

/** The image's id. */
export const smallImageId = ({ config }: SmallImage): string => sha256(config);

/** What `docker save` wrote before it wrote OCI layouts: manifest.json, configurations and plain layers. */
export function dockerArchive(
  entries: readonly { readonly image: SmallImage; readonly tags?: readonly string[] }[],
): Buffer {
  const files = new Map<string, Uint8Array>();
  const manifest = entries.map(({ image, tags }) => {
    const config = `${sha256(image.config).slice(7)}.json`;
    files.set(config, image.config);
    const paths = image.layers.map((layer) => {
      const path = `${sha256(layer).slice(7)}/layer.tar`;
      files.set(path, layer);
      return path;
    });
    return { Config: config, RepoTags: tags ?? null, Layers: paths };
  });
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return makeTar([...files].map(([name, content]) => ({ name, content })));
}

interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const ociTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  gzipped: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

const dockerTypes = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
  gzipped: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

/** Blobs of an OCI layout, and the documents that lead to them. */
export class LayoutBlobs {
  readonly blobs = new Map<string, Uint8Array>();

  put(mediaType: string, content: Uint8Array): Described {
    const digest = sha256(content);
    this.blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  }

  /** A manifest with gzipped layers, or plain ones; with `docker` a schema 2 manifest. */
  manifest(
    { config, layers }: SmallImage,
    options: { readonly plain?: boolean; readonly docker?: boolean } = {},
  ): Described {
    const types = options.docker ? dockerTypes : ociTypes;
    const document = {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: this.put(types.config, config),
      layers: layers.map((layer) =>
        options.plain ? this.put(types.layer, layer) : this.put(types.gzipped, gzipSync(layer)),
      ),
    };
    return this.put(types.manifest, Buffer.from(JSON.stringify(document)));
  }

  /** An index of images for several platforms, each with an attestation if wanted. */
  index(images: readonly SmallImage[], options: { attest?: boolean } = {}): Described {
    const entries = images.map((image) => ({ ...this.manifest(image), platform: image.platform }));
    const attestations = options.attest ? entries.map(({ digest }) => this.#attestation(digest)) : [];
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const document = { schemaVersion: 2, mediaType, manifests: [...entries, ...attestations] };
    return this.put(mediaType, Buffer.from(JSON.stringify(document)));
  }

  /** As the builder writes one: a manifest for the platform unknown/unknown whose layer is a statement. */
  #attestation(
    subject: string,
  ): Described & { readonly annotations: object; readonly platform: ImagePlatform } {
    const statement = JSON.stringify({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://spdx.dev/Document',
      subject: [{ name: '_', digest: { sha256: subject.slice(7) } }],
      predicate: {},
    });
    const layer = {
      ...this.put('application/vnd.in-toto+json', Buffer.from(statement)),
      annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' },
    };
    const config = { architecture: 'unknown', os: 'unknown', config: {} };
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const document = {
      schemaVersion: 2,
      mediaType,
      config: this.put(
        'application/vnd.oci.image.config.v1+json',
        Buffer.from(
          JSON.stringify({
            ...config,
            rootfs: { type: 'layers', diff_ids: [sha256(Buffer.from(statement))] },
          }),
        ),
      ),
      layers: [layer],
    };
    const annotations = {
      'vnd.docker.reference.digest': subject,
      'vnd.docker.reference.type': 'attestation-manifest',
    };
    const platform = { architecture: 'unknown', os: 'unknown' };
    return { ...this.put(mediaType, Buffer.from(JSON.stringify(document))), annotations, platform };
  }

  /** The layout as a tar, with these targets under their names. */
  archive(targets: readonly { readonly target: Described; readonly name?: string }[]): Buffer {
    const manifests = targets.map(({ target, name }) => ({
      ...target,
      ...(name !== undefined && { annotations: { 'io.containerd.image.name': name } }),
    }));
    const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
    return makeTar([
      ...[...this.blobs].map(([digest, content]) => ({ name: `blobs/${digest.replace(':', '/')}`, content })),
      { name: 'index.json', content: JSON.stringify(index) },
      { name: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    ]);
  }
}

/**
 * Archive of `count` images `NAME:FIRST` … over shared layers: groups of ten have a base of their own, and each image
 * a layer of its own.
 */
export function manyImages(count: number, name: string, first = 0): Buffer {
  const base = (group: number): readonly TarEntry[] => [{ name: `base-${group}`, content: 'b'.repeat(4000) }];
  return dockerArchive(
    Array.from({ length: count }, (_, n) => first + n).map((n) => ({
      image: smallImage([base(Math.floor(n / 10)), [{ name: `own-${n}`, content: `image ${n}\n` }]], {
        settings: { Cmd: [`/own-${n}`], Labels: { number: String(n) } },
      }),
      tags: [`${name}:${n}`],
    })),
  );
}
