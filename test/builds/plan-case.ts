import { planBuild } from '#build';
import type { PlanOptions, PlanResult, ResolvedImage } from '#build';
import { parseDigest } from '#oci';
import type { BuildCase } from './build-case.ts';

const layer = parseDigest(`sha256:${'0'.repeat(64)}`);

/** The configuration of the test images (test/setup), without making them. */
const testImage = (command: string): ResolvedImage => ({
  digest: '',
  config: {
    os: 'linux',
    architecture: 'amd64',
    created: '2026-01-02T03:04:05Z',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: [command],
    },
    rootfs: { type: 'layers', diff_ids: [layer] },
    history: [{ created: '2026-01-02T03:04:05Z', created_by: 'layer 0 of a test image' }],
  },
});

/** Plans with the test images as they are asked for. */
export function planWithTestImages(dockerfile: string, options: PlanOptions): PlanResult {
  const images = new Map<string, ResolvedImage>();
  for (;;) {
    const result = planBuild(dockerfile, options, images);
    if (result.kind !== 'needs') return result;
    for (const { key, reference } of result.images) {
      images.set(key, testImage(reference.includes('debian') ? 'bash' : 'sh'));
    }
  }
}

/** Plans a case of the corpus as the builder would on a machine of the golden files' kind. */
export const planCase = (one: BuildCase): PlanResult =>
  planWithTestImages(one.dockerfile, {
    buildPlatforms: [{ os: 'linux', architecture: 'amd64' }],
    ...(one.platform !== undefined && { platform: platformOf(one.platform) }),
    ...(one.target !== undefined && { target: one.target }),
    ...(one.arguments && { buildArguments: one.arguments }),
    ...(one.labels && { labels: one.labels }),
    contexts: Object.fromEntries(
      Object.entries(one.contexts ?? {}).map(([name, context]) => [
        name,
        typeof context === 'string' ? context : `local:${name}`,
      ]),
    ),
  });

function platformOf(text: string): NonNullable<PlanOptions['platform']> {
  const [os = 'linux', architecture = 'amd64', variant] = text.split('/');
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
