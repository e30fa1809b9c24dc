import { createHash } from 'node:crypto';
import type { FoundPackage, Inventory } from './found-package.ts';
import { licenseOf, type License } from './license.ts';
import { packageUrl } from './package-url.ts';

/** What a document says of itself. */
export interface SbomTitle {
  /** Of what was scanned: `sbom`, `sbom-build`. */
  readonly name: string;
  /** In RFC 3339, to the second. */
  readonly createdAt: string;
  /** `wharf-1.0` */
  readonly tool: string;
}

const unknown = 'NOASSERTION';

const sources: Readonly<Record<FoundPackage['type'], string>> = {
  deb: 'DPKG DB',
  apk: 'APK DB',
  npm: 'installed node module manifest file',
  pypi: 'installed python package manifest file',
};

/** The packages as a document of SPDX 2.3. The same packages give the same document, but for its time. */
export function spdxDocument(inventory: Inventory, { name, createdAt, tool }: SbomTitle): object {
  const licenses = new Map<string, License>();
  for (const { license } of inventory.packages) {
    if (license !== undefined) licenses.set(license, licenseOf(license));
  }
  const packages = inventory.packages.map((found) => packageOf(found, inventory, licenses));
  const quoted = [...licenses.values()].flatMap((license) => (license.kind === 'text' ? [license] : []));
  const root = `SPDXRef-DocumentRoot-Directory-${name.replace(/[^A-Za-z0-9.-]+/g, '-')}`;
  const relates = (from: string, to: string, how: string): object => ({
    ...{ spdxElementId: from, relatedSpdxElement: to, relationshipType: how },
  });
  return {
    ...{ spdxVersion: 'SPDX-2.3', dataLicense: 'CC0-1.0', SPDXID: 'SPDXRef-DOCUMENT', name },
    documentNamespace: `https://spdx.org/spdxdocs/${tool}-${name}-${uuidOf(JSON.stringify(packages))}`,
    creationInfo: { creators: ['Organization: Wharf', `Tool: ${tool}`], created: createdAt },
    packages: [
      {
        ...{ name, SPDXID: root, supplier: unknown, downloadLocation: unknown, filesAnalyzed: false },
        ...{ licenseConcluded: unknown, licenseDeclared: unknown, copyrightText: unknown },
        primaryPackagePurpose: 'FILE',
      },
      ...packages,
    ],
    ...(quoted.length > 0 && {
      hasExtractedLicensingInfos: quoted.map(({ id, text }) => ({
        ...{ licenseId: id, name: text, extractedText: text },
      })),
    }),
    relationships: [
      relates('SPDXRef-DOCUMENT', root, 'DESCRIBES'),
      ...packages.map(({ SPDXID }) => relates(root, SPDXID, 'CONTAINS')),
    ],
  };
}

function packageOf(
  found: FoundPackage,
  { distribution }: Inventory,
  licenses: ReadonlyMap<string, License>,
): { readonly SPDXID: string; readonly [field: string]: unknown } {
  const { type, name, version, supplier, homepage, location } = found;
  const url = packageUrl(found, distribution);
  const license = licenses.get(found.license ?? '');
  const short = createHash('sha256').update(url).digest('hex').slice(0, 16);
  return {
    name,
    SPDXID: `SPDXRef-Package-${type}-${name.replace(/[^A-Za-z0-9.-]+/g, '-')}-${short}`,
    versionInfo: version,
    supplier: supplier === undefined ? unknown : supplierOf(found, supplier),
    downloadLocation: unknown,
    filesAnalyzed: false,
    ...(homepage !== undefined && URL.canParse(homepage) && { homepage }),
    sourceInfo: `acquired package info from ${sources[type]}: ${location}`,
    licenseConcluded: unknown,
    licenseDeclared: license ? (license.kind === 'text' ? license.id : license.expression) : unknown,
    copyrightText: unknown,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}

/** Distributions have maintainers, the rest has authors: persons, as far as can be told. */
function supplierOf({ type }: FoundPackage, supplier: string): string {
  const [, name = '', address] = /^(.*?)\s*(?:<(.*)>)?$/.exec(supplier) ?? [];
  const kind =
    type === 'deb' && /team|developers|maintainers|packagers|group/i.test(name) ? 'Organization' : 'Person';
  return `${kind}: ${name}${address === undefined ? '' : ` (${address})`}`;
}

/** A name-based UUID (RFC 9562, version 8) of a text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
