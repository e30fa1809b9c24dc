import {
  algorithmOf,
  digestOf,
  isDigest,
  isIndex,
  isManifest,
  isSchema1,
  mediaTypes,
  parseDigest,
  type Digest,
} from '#oci';
import { requestName } from './network-failure.ts';
import type { FetchedManifest } from './registry-client.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { Session } from './session.ts';
import { headerOf, readBody, type Answer } from './transport.ts';

const maxManifest = 4 << 20;
const maxIndex = 8 << 20;

const accepted = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifestList,
  mediaTypes.dockerManifest,
  // Sent last, so that a registry of old images says which kind it has instead of "not found".
  `${mediaTypes.dockerSchema1Signed};q=0.1`,
].join(', ');

export interface ManifestOptions {
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
}

/** HEAD of a manifest or index; a GET where the registry names no digest. */
export async function headManifest(
  session: Session,
  path: string,
  reference: string,
  options: ManifestOptions,
): Promise<{ readonly digest: Digest }> {
  const answer = await session.request({
    method: 'HEAD',
    target: `${path}/manifests/${reference}`,
    headers: { accept: accepted },
    // Its answer has no words: those of a GET tell why.
    alsoAccepts: [404],
    ...options,
  });
  await answer.discard();
  const digest = headerOf(answer, 'docker-content-digest') ?? '';
  if (answer.status === 200 && isDigest(digest)) return { digest: parseDigest(digest) };
  return (await getManifest(session, path, reference, options)).descriptor;
}

/** GET of a manifest or index, one attempt, verified against the digest that was asked for or announced. */
export async function getManifest(
  session: Session,
  path: string,
  reference: string,
  options: ManifestOptions,
): Promise<FetchedManifest> {
  const answer = await session.request({
    method: 'GET',
    target: `${path}/manifests/${reference}`,
    headers: { accept: accepted },
    ...options,
  });
  const announced = (headerOf(answer, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const bytes = await readBody(answer, isIndex(announced) ? maxIndex : maxManifest, 'manifest');
  const mediaType = classify(answer, announced, bytes);
  const digest = verify(answer, reference, bytes);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function verify(answer: Answer, reference: string, bytes: Uint8Array): Digest {
  const header = headerOf(answer, 'docker-content-digest') ?? '';
  const wanted = isDigest(reference) ? reference : isDigest(header) ? header : undefined;
  const digest = digestOf(bytes, wanted && algorithmOf(wanted));
  if (wanted && wanted !== digest) {
    throw new RegistryFailure('internal', `manifest verification failed for digest ${wanted}`);
  }
  return digest;
}

interface Shape {
  readonly schemaVersion?: unknown;
  readonly mediaType?: unknown;
  readonly manifests?: unknown;
  readonly config?: unknown;
}

/** The media type: announced, or found in the document where a registry only says JSON. */
function classify(answer: Answer, announced: string, bytes: Buffer): string {
  const name = requestName(answer.method, answer.url);
  const document = parse(bytes);
  if (!document) {
    const what = announced === 'text/html' ? 'a web page' : 'no JSON';
    throw new RegistryFailure(
      'internal',
      `${name}: ${what} came back instead of a manifest: there seems to be no registry`,
    );
  }
  if (isSchema1(announced) || document.schemaVersion === 1) {
    throw new RegistryFailure(
      'invalidArgument',
      'unsupported image format: Docker Image manifest version 2, schema 1 was retired; push the image again with a current client',
    );
  }
  const own = typeof document.mediaType === 'string' ? document.mediaType : '';
  const isKnown = isIndex(announced) || isManifest(announced);
  if (isKnown && own !== '' && own !== announced) {
    throw new RegistryFailure('internal', `${name}: announced as ${announced}, but the document says ${own}`);
  }
  const mediaType = isKnown ? announced : ownType(own, document);
  if (mediaType !== undefined) return mediaType;
  const text = `${name}: unsupported media type ${JSON.stringify(own || announced)}`;
  throw new RegistryFailure('invalidArgument', text);
}

function ownType(own: string, document: Shape): string | undefined {
  if (isIndex(own) || isManifest(own)) return own;
  if (own !== '') return undefined;
  if (document.manifests !== undefined) return mediaTypes.ociIndex;
  return document.config === undefined ? undefined : mediaTypes.ociManifest;
}

function parse(bytes: Buffer): Shape | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
