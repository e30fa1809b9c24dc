import { chainIds, digestOf, mediaTypes, type Digest, type ImageConfig } from '#oci';
import type { ImageModel } from '../stored-image.ts';

/** An image that exists only as documents; `seed` makes it differ from others. */
export function imageModel(seed: string, layers: readonly string[] = ['base']): ImageModel {
  const diffIds = layers.map((layer) => digestOf(`diff ${layer}`));
  const config: ImageConfig = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const describe = (
    mediaType: string,
    text: string,
  ): { mediaType: string; digest: Digest; size: number } => ({
    mediaType,
    digest: digestOf(text),
    size: text.length,
  });
  const manifest = describe(mediaTypes.ociManifest, `manifest ${seed}`);
  const configuration = describe(mediaTypes.ociConfig, `config ${seed}`);
  const blobs = layers.map((layer) => describe(mediaTypes.ociLayerGzip, `layer ${layer}`));
  return {
    id: configuration.digest,
    target: manifest,
    manifest,
    config,
    configuration,
    layers: blobs,
    chainIds: chainIds(diffIds),
    blobs: new Set([manifest, configuration, ...blobs].map(({ digest }) => digest)),
  };
}
