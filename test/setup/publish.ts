import { digestOf } from './images.ts';
import type { LayoutBlobs } from './small-images.ts';

const isDocument = (mediaType: unknown): mediaType is string =>
  typeof mediaType === 'string' && /manifest|index/.test(mediaType);

/** Media type of a manifest or an index; undefined for other blobs. */
function documentType(content: Uint8Array): string | undefined {
  if (content[0] !== 0x7b) return undefined;
  const { mediaType } = JSON.parse(Buffer.from(content).toString()) as { mediaType?: unknown };
  return isDocument(mediaType) ? mediaType : undefined;
}

/** Stores everything of a layout in a registry and names `target` REPOSITORY:TAG, without an engine's help. */
export async function publishLayout(
  address: string,
  repository: string,
  tag: string,
  layout: LayoutBlobs,
  target: { readonly digest: string },
): Promise<void> {
  const base = `http://${address}/v2/${repository}`;
  const put = async (url: URL | string, type: string, content: Uint8Array): Promise<void> => {
    const body = new Uint8Array(content);
    const answer = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
    if (answer.status !== 201) throw new Error(`PUT ${String(url)}: ${answer.status} ${await answer.text()}`);
  };
  // Indexes come after what they list, as they were made.
  const documents: (readonly [type: string, content: Uint8Array])[] = [];
  for (const content of layout.blobs.values()) {
    const type = documentType(content);
    if (type !== undefined) {
      documents.push([type, content]);
      continue;
    }
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(begun.headers.get('location') ?? '', base);
    place.searchParams.set('digest', digestOf(content));
    await put(place, 'application/octet-stream', content);
  }
  for (const [type, content] of documents) {
    await put(`${base}/manifests/${digestOf(content)}`, type, content);
    if (digestOf(content) === target.digest) await put(`${base}/manifests/${tag}`, type, content);
  }
}
