import { gzipSync } from 'node:zlib';
import { tarHeader, writeTar, type NewTarEntry, type TarHeader } from '#archive';
import { digestOf, hexOf, mediaTypes, type Descriptor, type Digest } from '#oci';
import type { MemoryRegistry } from './memory-registry.ts';

/** A tar of files and whatever else `extra` holds, as one buffer. */
export async function tarOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  extra: readonly TarHeader[] = [],
): Promise<Buffer> {
  const entries: NewTarEntry[] = Object.entries(files).map(([name, data]) => {
    const content = Buffer.from(data);
    return { header: tarHeader({ name, size: content.length }), content };
  });
  for (const header of extra) entries.push({ header });
  return Buffer.concat(await Array.fromAsync(writeTar(entries)));
}

/** A configuration over layers, `seed` makes it differ from others. */
const configOf = (diffIds: readonly Digest[], seed = ''): Buffer =>
  Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Cmd: ['sh'], Labels: { seed } },
      history: diffIds.map((_, n) => ({ created: '2026-01-01T00:00:00Z', created_by: `step ${n}` })),
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );

/** The files of a docker-archive with these plain layers. */
export function dockerArchiveFiles(
  layers: readonly Uint8Array[],
  tags: readonly string[],
  diffIds: readonly Digest[] = layers.map((layer) => digestOf(layer)),
): Record<string, Uint8Array> {
  const config = configOf(diffIds);
  const configPath = `${hexOf(digestOf(config))}.json`;
  const files: Record<string, Uint8Array> = { [configPath]: config };
  layers.forEach((layer, n) => (files[`${n}/layer.tar`] = layer));
  const manifest = [{ Config: configPath, RepoTags: tags, Layers: layers.map((_, n) => `${n}/layer.tar`) }];
  return { ...files, 'manifest.json': Buffer.from(JSON.stringify(manifest)) };
}

/** The files of an OCI layout with gzipped layers, under one name. */
export function ociLayoutFiles(layers: readonly Uint8Array[], name: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const add = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    files[`blobs/sha256/${hexOf(digest)}`] = bytes;
    return { mediaType, digest, size: bytes.length };
  };
  const config = add(mediaTypes.ociConfig, configOf(layers.map((layer) => digestOf(layer))));
  const blobs = layers.map((layer) => add(mediaTypes.ociLayerGzip, gzipSync(layer)));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: blobs };
  const target = add(mediaTypes.ociManifest, Buffer.from(JSON.stringify(manifest)));
  const annotations = { 'io.containerd.image.name': name };
  const index = { schemaVersion: 2, manifests: [{ ...target, annotations }] };
  return {
    ...files,
    'oci-layout': Buffer.from('{"imageLayoutVersion":"1.0.0"}'),
    'index.json': Buffer.from(JSON.stringify(index)),
  };
}

/** Puts an image with gzipped layers into a registry; returns its manifest. */
export function publish(
  registry: MemoryRegistry,
  path: string,
  layers: readonly Uint8Array[],
  options: { tags: readonly string[]; seed?: string; diffIds?: readonly Digest[] },
): Descriptor {
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => ({
    mediaType,
    digest: registry.putBlob(path, bytes),
    size: bytes.length,
  });
  const diffIds = options.diffIds ?? layers.map((layer) => digestOf(layer));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: put(mediaTypes.ociConfig, configOf(diffIds, options.seed)),
    layers: layers.map((layer) => put(mediaTypes.ociLayerGzip, gzipSync(layer))),
  };
  return registry.putManifest(path, mediaTypes.ociManifest, manifest, ...options.tags);
}

/** Bytes as they come over a connection. */
export async function* chunks(data: Uint8Array, size = 60_000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < data.length; at += size) {
    yield data.subarray(at, at + size);
    await Promise.resolve();
  }
}
