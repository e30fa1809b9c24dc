import { invalidArgument, notFound } from '#kernel';
import {
  digestOf,
  formatPlatform,
  parseDigest,
  parseImageConfig,
  parseIndex,
  parseManifest,
  rankByPlatform,
  type Digest,
  type Platform,
} from '#oci';
import type { LayoutImage } from '../base-images.ts';
import type { ClientSession } from './client-session.ts';
import { ClientStore } from './client-store.ts';

/** Indexes nested deeper than this are refused. */
const maximumDepth = 3;

/**
 * An image in an OCI layout of a client: `store` is what the client calls it, `digest` is that of an index or a
 * manifest. Its layers stay there until they are needed. Throws notFound and invalidArgument.
 */
export async function readClientLayout(
  session: ClientSession,
  { store, digest }: { readonly store: string; readonly digest: string },
  platform: Platform,
  options: { readonly signal: AbortSignal },
): Promise<LayoutImage> {
  const from = new ClientStore(session, `oci:${store}`);
  const read = async (wanted: Digest): Promise<Uint8Array> => {
    const bytes = await from.manifest(wanted, options);
    if (digestOf(bytes) !== wanted) throw invalidArgument(`the client's ${wanted} has another digest`);
    return bytes;
  };
  let bytes = await read(parseDigest(digest));
  for (let depth = 0; isIndexDocument(bytes); depth += 1) {
    if (depth > maximumDepth) throw invalidArgument(`the indexes of ${digest} are nested too deeply`);
    const [best] = rankByPlatform(platform, parseIndex(bytes).manifests);
    if (!best) throw notFound(`no match for platform ${formatPlatform(platform)} in ${digest}`);
    bytes = await read(best.digest);
  }
  const manifest = parseManifest(bytes);
  const config = parseImageConfig(await read(manifest.config.digest));
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw invalidArgument(`the configuration of ${digest} does not fit its layers`);
  }
  const layers = manifest.layers.map((blob, n) => ({ blob, diffId: diffIds[n] ?? blob.digest }));
  return { config, layers, from };
}

/** A document need not say what it is; only an index lists manifests. */
function isIndexDocument(bytes: Uint8Array): boolean {
  const document: unknown = JSON.parse(Buffer.from(bytes).toString());
  return typeof document === 'object' && document !== null && 'manifests' in document;
}
