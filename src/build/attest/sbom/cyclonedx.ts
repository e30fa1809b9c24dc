import type { FoundPackage, Inventory } from './found-package.ts';
import { licenseOf } from './license.ts';
import { packageUrl } from './package-url.ts';
import { uuidOf, type SbomTitle } from './spdx.ts';

/** The packages as a document of CycloneDX 1.6. */
export function cyclonedxDocument(inventory: Inventory, { name, createdAt, tool }: SbomTitle): object {
  const components = inventory.packages.map((found) => componentOf(found, inventory));
  const [toolName = tool, ...version] = tool.split('-');
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    ...{ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 },
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components))}`,
    metadata: {
      timestamp: createdAt,
      tools: { components: [{ type: 'application', name: toolName, version: version.join('-') }] },
      component: { 'bom-ref': 'root', type: 'file', name },
    },
    components,
    dependencies: [{ ref: 'root', dependsOn: components.map((component) => component['bom-ref']) }],
  };
}

function componentOf(
  found: FoundPackage,
  { distribution }: Inventory,
): { readonly 'bom-ref': string; readonly [field: string]: unknown } {
  const { name, version, license, supplier, homepage, location, type } = found;
  const purl = packageUrl(found, distribution);
  const slash = name.startsWith('@') ? name.indexOf('/') : -1;
  return {
    ...{ 'bom-ref': purl, type: 'library' },
    ...(slash !== -1 && { group: name.slice(0, slash) }),
    ...{ name: name.slice(slash + 1), version },
    ...(supplier !== undefined &&
      (type === 'deb' || type === 'apk' ? { publisher: supplier } : { author: supplier })),
    ...(license !== undefined && { licenses: [licenseEntry(license)] }),
    purl,
    ...(homepage !== undefined &&
      URL.canParse(homepage) && { externalReferences: [{ type: 'website', url: homepage }] }),
    evidence: { occurrences: [{ location }] },
  };
}

function licenseEntry(text: string): object {
  const license = licenseOf(text);
  return license.kind === 'expression'
    ? { expression: license.expression }
    : { license: { name: license.text } };
}
