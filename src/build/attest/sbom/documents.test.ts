import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cyclonedxDocument } from './cyclonedx.ts';
import type { FoundPackage, Inventory } from './found-package.ts';
import { packageUrl } from './package-url.ts';
import { spdxDocument } from './spdx.ts';

const debian = { id: 'debian', version: '12' };
const found: readonly FoundPackage[] = [
  {
    ...{ type: 'deb', name: 'libstdc++6', version: '1:12.2', architecture: 'amd64', upstream: 'gcc@12' },
    ...{ supplier: 'Debian GCC Maintainers <gcc@example.com>', location: '/var/lib/dpkg/status' },
  },
  { type: 'npm', name: '@s/b', version: '2.0.0', license: '(MIT OR ISC)', location: '/app/package.json' },
  { type: 'pypi', name: 'Foo_Bar', version: '1', license: 'BSD, modified', location: '/METADATA' },
];
const inventory: Inventory = { distribution: debian, packages: found };
const title = { name: 'sbom', createdAt: '2026-11-22T10:00:00Z', tool: 'wharf-1.0' };

const urls = [
  'pkg:deb/debian/libstdc%2B%2B6@1:12.2?arch=amd64&distro=debian-12&upstream=gcc%4012',
  'pkg:npm/%40s/b@2.0.0',
  'pkg:pypi/foo-bar@1',
];

test('packageUrl() names packages as package-url says', () => {
  assert.deepEqual(
    found.map((one) => packageUrl(one, debian)),
    urls,
  );
});

interface Spdx {
  readonly packages: readonly Readonly<Record<string, unknown>>[];
  readonly hasExtractedLicensingInfos: readonly {
    readonly licenseId: string;
    readonly extractedText: string;
  }[];
  readonly relationships: readonly { readonly relatedSpdxElement: string }[];
  readonly documentNamespace: string;
}

test('spdxDocument() lists packages, quotes licenses that SPDX does not know, and is the same for the same', () => {
  // The shape is what this test checks.
  const document = spdxDocument(inventory, title) as Spdx;
  const [root, deb, npm, pypi] = document.packages;
  assert.equal(deb?.['supplier'], 'Organization: Debian GCC Maintainers (gcc@example.com)');
  assert.equal(npm?.['licenseDeclared'], '(MIT OR ISC)');
  const [quoted] = document.hasExtractedLicensingInfos;
  assert.equal(quoted?.extractedText, 'BSD, modified');
  assert.match(quoted.licenseId, /^LicenseRef-[A-Za-z0-9.-]+$/);
  assert.equal(pypi?.['licenseDeclared'], quoted.licenseId);
  const ids = document.packages.map((one) => one['SPDXID']);
  assert.equal(new Set(ids).size, 4);
  assert.deepEqual(
    document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement),
    ids,
  );
  assert.equal(root?.['name'], 'sbom');
  assert.deepEqual(
    document.packages
      .slice(1)
      .map((one) => (one['externalRefs'] as { referenceLocator: string }[])[0]?.referenceLocator),
    urls,
  );
  assert.deepEqual(spdxDocument(structuredClone(inventory), title), document);
  const other = spdxDocument({ ...inventory, packages: found.slice(1) }, title) as Spdx;
  assert.notEqual(other.documentNamespace, document.documentNamespace);
});

test('cyclonedxDocument() lists the same packages', () => {
  const document = cyclonedxDocument(inventory, title) as {
    readonly components: readonly Readonly<Record<string, unknown>>[];
    readonly serialNumber: string;
  };
  assert.match(
    document.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.deepEqual(
    document.components.map((component) => component['purl']),
    urls,
  );
  const [, npm, pypi] = document.components;
  assert.deepEqual([npm?.['group'], npm?.['name']], ['@s', 'b']);
  assert.deepEqual(npm?.['licenses'], [{ expression: '(MIT OR ISC)' }]);
  assert.deepEqual(pypi?.['licenses'], [{ license: { name: 'BSD, modified' } }]);
});
