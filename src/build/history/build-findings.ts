import { buffer } from 'node:stream/consumers';
import {
  digestOf,
  formatPlatform,
  isIndex,
  parseDescriptor,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
} from '#oci';
import type { ProvenanceOptions } from '../attest/attest-options.ts';
import type { BuildAccount } from '../attest/build-account.ts';
import { provenanceOf } from '../attest/provenance/provenance.ts';
import type { Built, ExportResponse } from '../export/exporter.ts';

/** What is remembered of a build that succeeded. */
export interface BuildFindings {
  /** How each platform's result came to be, as the predicate alone. */
  readonly statements: readonly { readonly platform: string; readonly descriptor: Descriptor }[];
  /** The image that came of it. */
  readonly result: Descriptor | undefined;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

const fullProvenance: ProvenanceOptions = {
  mode: 'max',
  version: 'v0.2',
  builderId: '',
  isReproducible: false,
  isInlineOnly: false,
  fileName: 'provenance.json',
};

/** Gathers it while the build still holds its results. */
export async function findingsOf(
  built: Built,
  account: BuildAccount,
  response: ExportResponse,
): Promise<BuildFindings> {
  const blobs = new Map<Digest, Uint8Array>();
  const statements = built.platforms.map((platform) => {
    const layers = platform.layers.map(({ blob }) => blob);
    const { predicate, predicateType } = provenanceOf(account.facts(platform, layers), fullProvenance);
    const data = Buffer.from(JSON.stringify(predicate, undefined, 2));
    const digest = digestOf(data);
    blobs.set(digest, data);
    const annotations = { 'in-toto.io/predicate-type': predicateType };
    const mediaType = 'application/vnd.in-toto+json';
    return {
      platform: formatPlatform(platform.platform),
      descriptor: { mediaType, digest, size: data.length, annotations },
    };
  });
  const encoded = response['containerimage.descriptor'];
  const result =
    encoded === undefined
      ? undefined
      : parseDescriptor(JSON.parse(Buffer.from(encoded, 'base64').toString()));
  if (result) await keepDocuments(built, result, blobs);
  return { statements, result, blobs };
}

/** The documents of an image, not its layers. */
async function keepDocuments(
  built: Built,
  { mediaType, digest }: Pick<Descriptor, 'mediaType' | 'digest'>,
  blobs: Map<Digest, Uint8Array>,
): Promise<void> {
  const data = await buffer(await built.claim.outputs.open(digest));
  blobs.set(digest, data);
  if (isIndex(mediaType)) {
    for (const manifest of parseIndex(data).manifests) await keepDocuments(built, manifest, blobs);
  } else {
    const { config } = parseManifest(data);
    blobs.set(config.digest, await buffer(await built.claim.outputs.open(config.digest)));
  }
}
