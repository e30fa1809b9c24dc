import type { BuildClaim, LayerStack } from '#images';
import type { Platform } from '#oci';
import type { BuildPlan } from '../graph/plan-options.ts';

/** What a build came to for one platform. */
export interface BuiltPlatform {
  readonly platform: Platform;
  readonly plan: BuildPlan;
  readonly layers: LayerStack;
}

/** What a build came to. It is held by the claim, which ends when all exporters are done. */
export interface Built {
  /** In the order in which they were asked for. */
  readonly platforms: readonly BuiltPlatform[];
  /** Several platforms were asked for, or one where the client wants an index all the same. */
  readonly isMultiPlatform: boolean;
  readonly claim: BuildClaim;
  /** When the build ended, in RFC 3339. */
  readonly now: string;
  readonly signal: AbortSignal;
}

/** What clients are told of an export, by BuildKit's names: `containerimage.digest`, `image.name`. */
export type ExportResponse = Readonly<Record<string, string>>;

/** Makes something of what was built: an image in the store, files, an archive. */
export interface Exporter {
  export(built: Built): Promise<ExportResponse>;
}
