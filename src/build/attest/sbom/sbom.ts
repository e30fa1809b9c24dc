import type { BuildParts } from '../../solver/ports.ts';
import { mountedLayers } from '../../ops/mounted.ts';
import type { BuiltPlatform } from '../../export/built-platform.ts';
import type { Attestation } from '../attestation.ts';
import type { SbomOptions } from '../attest-options.ts';
import { cyclonedxDocument } from './cyclonedx.ts';
import { scan } from './scan.ts';
import { spdxDocument, type SbomTitle } from './spdx.ts';

const forms = {
  spdx: { predicateType: 'https://spdx.dev/Document', extension: 'spdx.json', document: spdxDocument },
  cyclonedx: {
    predicateType: 'https://cyclonedx.org/bom',
    extension: 'cdx.json',
    document: cyclonedxDocument,
  },
} as const;

/** Lists the packages of a result, and of what else is to be listed: one statement for each. */
export async function sbomsOf(
  parts: Pick<BuildParts, 'snapshots' | 'mountFolder'>,
  { layers, scanned }: BuiltPlatform,
  { format }: SbomOptions,
  options: Omit<SbomTitle, 'name'> & { readonly signal: AbortSignal },
): Promise<readonly Attestation[]> {
  const { predicateType, extension, document } = forms[format];
  const all = [
    ['sbom', layers] as const,
    ...[...(scanned ?? [])].map(([name, stack]) => [`sbom-${name}`, stack] as const),
  ];
  const made: Attestation[] = [];
  for (const [name, stack] of all) {
    const inventory = await mountedLayers(parts, stack, (root) => scan(root, options));
    const predicate = document(inventory, { ...options, name });
    made.push({ predicateType, predicate, fileName: `${name}.${extension}`, isInlineOnly: false });
  }
  return made;
}
