import type { BuildClaim, LayerStack } from '#images';
import { mediaTypes, type Digest } from '#oci';
import type { ExecVertex } from '../graph/vertex.ts';
import { documentText } from './image-index.ts';

/** A command that failed, with what it left. */
export interface FailedStep {
  readonly vertex: ExecVertex;
  /** Its root with its own changes on top. */
  readonly layers: LayerStack;
}

/**
 * Keeps what a failed command left as an image without a name, whose containers have the command's user, folder and
 * variables. Whoever asked for it removes it.
 */
export async function keepFailedStep(
  { vertex, layers }: FailedStep,
  { outputs }: BuildClaim,
  { now, signal }: { readonly now: string; readonly signal: AbortSignal },
): Promise<Digest> {
  const { os, architecture, variant = '' } = vertex.platform;
  const text = JSON.stringify({
    ...{ architecture, ...(variant !== '' && { variant }), os, created: now },
    config: { Env: vertex.env, User: vertex.user, WorkingDir: vertex.cwd, Cmd: ['/bin/sh'] },
    history: layers.map(() => ({ created: now, created_by: `failed: ${vertex.args.join(' ')}` })),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const config = await outputs.put(mediaTypes.dockerConfig, Buffer.from(text));
  const manifest = await outputs.put(
    mediaTypes.dockerManifest,
    documentText({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
      layers: layers.map(({ blob: { mediaType, digest, size } }) => ({ mediaType, digest, size })),
    }),
  );
  const { platform } = vertex;
  const options = { names: [], canonicalNames: [], platform, manifest, replaces: false, signal };
  return (await outputs.admit(manifest, options)).id;
}
