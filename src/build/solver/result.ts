import { createHash } from 'node:crypto';
import { topOf, type LayerStack } from '#images';
import type { ImportedStep } from '../cache/imported-caches.ts';
import { ClientTree } from '../files/client-tree.ts';
import type { SourceTree } from '../files/source-tree.ts';

/** What a vertex results in: layers over each other, or files that are no file system of their own yet. */
export type Result =
  | { readonly kind: 'layers'; readonly layers: LayerStack }
  | { readonly kind: 'files'; readonly source: SourceTree; readonly digest: string }
  | KnownResult;

/** Of a step that another builder has done: nothing of it is here before it is needed. */
export interface KnownResult {
  readonly kind: 'known';
  readonly key: string;
  readonly step: ImportedStep;
}

export const emptyResult: Result = { kind: 'layers', layers: [] };

/** Equal for equal contents: what later steps are known by. */
export function identityOf(result: Result): string {
  switch (result.kind) {
    case 'files':
      return `files ${result.digest}`;
    case 'layers':
      return `layers ${topOf(result.layers) ?? ''}`;
    case 'known':
      return `layers ${result.step.chain}`;
  }
}

/** Its digest is made when it is asked for: few steps need all files of a client at once. */
export function filesResult(source: SourceTree): Result {
  let digest: string | undefined;
  return {
    kind: 'files',
    source,
    get digest() {
      digest ??= source instanceof ClientTree ? source.digest : digestOfSource(source);
      return digest;
    },
  };
}

/** Of everything in a set of files but their times. */
function digestOfSource(source: SourceTree): string {
  const hash = createHash('sha256');
  for (const [path, { header, digest }] of source) {
    const { type, mode, uid, gid, linkName, deviceMajor, deviceMinor, xattrs } = header;
    const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
    const facts = [path, type, mode, uid, gid, linkName, deviceMajor, deviceMinor, attributes, digest];
    hash.update(`${JSON.stringify(facts)}\n`);
  }
  return hash.digest('hex');
}
