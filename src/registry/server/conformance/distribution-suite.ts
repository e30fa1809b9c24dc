import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { checkChunks, checkMounts, checkRanges, checkUploads } from './blob-checks.ts';
import { ConformanceClient } from './conformance-client.ts';
import { checkBadManifests, checkMaterial, checkNothing, checkTagParameters } from './manifest-checks.ts';
import { Material } from './material.ts';
import { makeMaterials } from './materials.ts';

/** Where a registry that allows everything is served: `http://127.0.0.1:5000`. */
export type RegistryAddress = () => string;

/** The OCI distribution specification 1.1, check by check, against any registry. What it pushes it deletes. */
export function distributionSuite(title: string, address: RegistryAddress): void {
  const run = randomBytes(4).toString('hex');
  const repository = (name: string): string => `conformance-${run}/${name}`;
  const client = (): ConformanceClient => new ConformanceClient(address());
  void describe(`${title}: OCI distribution 1.1`, () => {
    void test('nothing', (t) => checkNothing(t, { client: client(), repository: repository('nothing') }));
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const [one, other] = [repository(algorithm), repository(`${algorithm}/from`)];
      void test(`blobs under ${algorithm}`, async (t) => {
        const checks = { client: client(), repository: one, other, algorithm };
        await checkUploads(t, checks);
        await checkChunks(t, checks);
        await checkMounts(t, checks);
        await checkRanges(t, checks);
      });
      void test(`tags given with a push by ${algorithm}`, async () => {
        const checks = { client: client(), repository: repository(`tags-${algorithm}`) };
        await checkTagParameters(checks, new Material(algorithm));
      });
    }
    for (const [name, material] of makeMaterials()) {
      const place = repository(name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
      void test(name, (t) => checkMaterial(t, { client: client(), repository: place }, material));
    }
    void test('bad manifests', (t) =>
      checkBadManifests(t, { client: client(), repository: repository('bad') }));
  });
}
