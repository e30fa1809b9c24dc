import { digestOf, mediaTypes, type Descriptor, type Digest } from '#oci';

/** What is said of a result, before it is known under which digest and names the result goes out. */
export interface Attestation {
  /** URI of what kind of statement it is. */
  readonly predicateType: string;
  readonly predicate: object;
  /** Its name where it is a file among files: `provenance.json`. */
  readonly fileName: string;
  /** It belongs to images in a store or registry only, not to archives and files. */
  readonly isInlineOnly: boolean;
}

/** What a statement is about: a file by its path, or an image by its package URL. */
export interface Subject {
  readonly name: string;
  readonly digest: Digest;
}

const statementType = 'https://in-toto.io/Statement/v0.1';
const statementMediaType = 'application/vnd.in-toto+json';
const predicateAnnotation = 'in-toto.io/predicate-type';

/** The in-toto statement: one line for a manifest, indented for a file. */
export function statementText(
  { predicateType, predicate }: Attestation,
  subjects: readonly Subject[],
  options: { readonly indented?: boolean } = {},
): string {
  const subject = subjects.map(({ name, digest }) => {
    const [algorithm = '', hex = ''] = digest.split(':');
    return { name, digest: { [algorithm]: hex } };
  });
  const statement = { _type: statementType, predicateType, subject, predicate };
  return JSON.stringify(statement, undefined, options.indented === true ? 2 : undefined);
}

/** A document and what describes it. */
export interface Document {
  readonly descriptor: Descriptor;
  readonly data: Uint8Array;
}

/** The documents by which statements hang at an image: they must all be stored, the manifest be listed in the index. */
export interface AttestationManifest {
  /** As the image's index lists it: for no platform, and about the image's manifest. */
  readonly manifest: Document;
  readonly config: Document;
  readonly statements: readonly Document[];
}

const documentOf = (mediaType: string, text: string): Document => {
  const data = Buffer.from(text);
  return { data, descriptor: { mediaType, digest: digestOf(data), size: data.length } };
};

/** The manifest that hangs statements at the image whose manifest has the digest `about`. */
export function attestationManifest(
  attestations: readonly Attestation[],
  about: Digest,
  subjects: readonly Subject[],
): AttestationManifest {
  const statements = attestations.map((attestation) => {
    const { data, descriptor } = documentOf(statementMediaType, statementText(attestation, subjects));
    const annotations = { [predicateAnnotation]: attestation.predicateType };
    return { data, descriptor: { ...descriptor, annotations } };
  });
  const layers = statements.map(({ descriptor }) => descriptor);
  const nowhere = { architecture: 'unknown', os: 'unknown' };
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  const config = documentOf(mediaTypes.ociConfig, JSON.stringify({ ...nowhere, config: {}, rootfs }));
  const text = JSON.stringify(
    { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: config.descriptor, layers },
    undefined,
    2,
  );
  const { data, descriptor } = documentOf(mediaTypes.ociManifest, text);
  const annotations = {
    'vnd.docker.reference.digest': about,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return {
    statements,
    config,
    manifest: { data, descriptor: { ...descriptor, annotations, platform: nowhere } },
  };
}
