import { formatPlatform, type ImageConfig } from '#oci';
import type { BuildPlan } from '../graph/plan-options.ts';
import { configKey } from './frontend-options.ts';

/** What a client is told of a result before anything is built, by BuildKit's names; several platforms each by its own. */
export function resultMetadata(plans: readonly BuildPlan[]): Readonly<Record<string, Uint8Array>> {
  const metadata: Record<string, Uint8Array> = {};
  for (const plan of plans) {
    const suffix = plans.length > 1 ? `/${formatPlatform(plan.platform)}` : '';
    metadata[`${configKey}${suffix}`] = encoded(plannedConfig(plan));
    if (plan.baseImage) metadata[`containerimage.base.config${suffix}`] = encoded(plan.baseImage);
  }
  const platforms = plans.map(({ platform }) => ({ ID: formatPlatform(platform), Platform: platform }));
  metadata['refs.platforms'] = encoded({ Platforms: platforms });
  return metadata;
}

/** The layers are those of the base as yet, and what is to be done has no times. */
function plannedConfig({ image, baseImage }: BuildPlan): ImageConfig {
  const { author, config, history, os, architecture, variant } = image;
  return {
    ...{ architecture, os, config, history },
    ...(variant !== undefined && variant !== '' && { variant }),
    ...(author !== undefined && { author }),
    rootfs: { type: 'layers', diff_ids: baseImage?.rootfs.diff_ids ?? [] },
  };
}

const encoded = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
