import { parseDigest } from '#oci';
import type { SourceTree } from '../files/source-tree.ts';
import type { GitVertex, HttpVertex } from '../graph/vertex.ts';
import type { FetchOptions, Sources } from '../sources/sources.ts';
import type { Material } from './material.ts';
import { withoutCredentials } from './provenance/without-credentials.ts';

/** Fetches what a step takes from the network, and notes what it turned out to be. */
export async function fetchNoted(
  sources: Sources,
  vertex: GitVertex | HttpVertex,
  options: FetchOptions,
  note: (material: Material) => void,
): Promise<SourceTree> {
  if (vertex.kind === 'git') {
    const onCommit = (commit: string): void => note({ kind: 'git', uri: addressOf(vertex), commit });
    return sources.fetch(vertex, { ...options, onCommit });
  }
  const source = await sources.fetch(vertex, options);
  const digest = source.get(vertex.fileName)?.digest ?? '';
  if (digest !== '')
    note({ kind: 'http', uri: withoutCredentials(vertex.url), digest: parseDigest(`sha256:${digest}`) });
  return source;
}

/** `https://host/a.git#ref:folder` */
function addressOf({ remote, ref, subdir }: GitVertex): string {
  const place = subdir === '' ? ref : `${ref}:${subdir}`;
  return withoutCredentials(place === '' ? remote : `${remote}#${place}`);
}
