import type { Digest, Platform } from '#oci';
import type { ImageVertex } from '../graph/vertex.ts';
import { imagePurl } from './purl.ts';

/** Something from elsewhere that a build was made of, as it was when it was used. */
export type Material =
  | {
      readonly kind: 'image';
      /** As it was asked for, without what it was resolved to. */
      readonly reference: string;
      readonly platform: Platform;
      readonly digest: Digest;
    }
  /** `uri` with the ref, without credentials. */
  | { readonly kind: 'git'; readonly uri: string; readonly commit: string }
  | { readonly kind: 'http'; readonly uri: string; readonly digest: Digest };

/** Of an image vertex that was resolved to a digest; undefined where that is not known. */
export const imageMaterial = (
  { reference, platform }: Pick<ImageVertex, 'reference' | 'platform'>,
  digest: Digest | undefined,
): Material | undefined => digest && { kind: 'image', reference, platform, digest };

/** As statements list it. */
export interface ListedMaterial {
  readonly uri: string;
  readonly digest: Readonly<Record<string, string>>;
}

const order: readonly Material['kind'][] = ['image', 'git', 'http'];

const listed = (material: Material): ListedMaterial => {
  if (material.kind === 'git') {
    const algorithm = material.commit.length === 64 ? 'sha256' : 'sha1';
    return { uri: material.uri, digest: { [algorithm]: material.commit } };
  }
  const [algorithm = '', hex = ''] = material.digest.split(':');
  const uri = material.kind === 'http' ? material.uri : imagePurl(material.reference, material.platform);
  return { uri, digest: { [algorithm]: hex } };
};

/** Images, repositories, files by their address; each once. */
export function listMaterials(materials: readonly Material[]): readonly ListedMaterial[] {
  const found = new Map<string, ListedMaterial>();
  for (const kind of order) {
    for (const material of materials.filter((one) => one.kind === kind).map(listed)) {
      found.set(JSON.stringify(material), material);
    }
  }
  return [...found.values()];
}
