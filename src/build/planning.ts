import { EngineError, kindOf, messageOf } from '#kernel';
import { hostPlatform, type Platform } from '#oci';
import type { CheckWarning } from './checks/checks.ts';
import { DockerfileError } from './dockerfile/location.ts';
import { planBuild } from './graph/plan-build.ts';
import type { BuildPlan, ImageRequest, PlanOptions, ResolvedImage } from './graph/plan-options.ts';

/** Looks up the configuration of an image that a stage begins with. */
export type ImageResolver = (wanted: ImageRequest) => Promise<ResolvedImage>;

/** What planning a file came to; the warnings are those found before it ended. */
export type Planning =
  | { readonly kind: 'planned'; readonly plan: BuildPlan; readonly warnings: readonly CheckWarning[] }
  | { readonly kind: 'failed'; readonly error: Error; readonly warnings: readonly CheckWarning[] };

/** Plans until nothing has to be looked up any more. */
export async function planUntilKnown(
  dockerfile: string,
  options: PlanOptions,
  resolve: ImageResolver,
): Promise<Planning> {
  const resolved = new Map<string, ResolvedImage>();
  for (;;) {
    const result = planBuild(dockerfile, options, resolved);
    if (result.kind === 'failed') return result;
    if (result.kind === 'plan') return { kind: 'planned', plan: result, warnings: result.warnings };
    const { images, warnings } = result;
    try {
      const found = await Promise.all(
        images.map(async (wanted) => [wanted.key, await located(wanted, resolve)] as const),
      );
      for (const [key, image] of found) resolved.set(key, image);
    } catch (error) {
      return { kind: 'failed', error: asError(error), warnings };
    }
  }
}

/** Plans for each platform; the first failure is that of all. */
export async function planForPlatforms(
  request: {
    readonly dockerfile: string;
    readonly options: PlanOptions;
    readonly platforms?: readonly Platform[];
  },
  resolve: ImageResolver,
): Promise<readonly Planning[]> {
  const { dockerfile, options, platforms = [] } = request;
  const common = { buildPlatforms: [hostPlatform()], ...options };
  if (platforms.length === 0) return [await planUntilKnown(dockerfile, common, resolve)];
  const multiPlatform = platforms.length > 1;
  return Promise.all(
    platforms.map((platform) => planUntilKnown(dockerfile, { ...common, platform, multiPlatform }, resolve)),
  );
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(messageOf(error)));

/** What an image's lookup throws has its place in the file. */
async function located(wanted: ImageRequest, resolve: ImageResolver): Promise<ResolvedImage> {
  try {
    return await resolve(wanted);
  } catch (error) {
    if (!(error instanceof EngineError) || error instanceof DockerfileError) throw error;
    throw new DockerfileError(messageOf(error), [wanted.location], { cause: error, kind: kindOf(error) });
  }
}
