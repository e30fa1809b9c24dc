import { mediaTypes } from '#oci';

const pairs = [
  [mediaTypes.dockerLayer, mediaTypes.ociLayer],
  [mediaTypes.dockerLayerGzip, mediaTypes.ociLayerGzip],
] as const;

/** The media type of a layer that says the same in the words of OCI, or of Docker. */
export function layerTypeIn(isOci: boolean, mediaType: string): string {
  const pair = pairs.find((each) => each.some((type) => type === mediaType));
  return pair?.[isOci ? 1 : 0] ?? mediaType;
}
