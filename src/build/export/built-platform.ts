import type { LayerStack } from '#images';
import type { Platform } from '#oci';
import type { BuildPlan } from '../graph/plan-options.ts';

/** What a build came to for one platform. */
export interface BuiltPlatform {
  readonly platform: Platform;
  readonly plan: BuildPlan;
  readonly layers: LayerStack;
  /** Other file systems whose packages are listed, by name. */
  readonly scanned?: ReadonlyMap<string, LayerStack>;
  /** For the image's configuration: which steps made its layers. */
  readonly inlineCache?: string;
}
