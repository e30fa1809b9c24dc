import type { ProgressMessage } from '#api/types';
import { canonicalName, familiarName, parseReference, withDefaultTag } from '#oci';
import { registryAuth } from '../../config/credentials.ts';
import type { Context } from '../../context.ts';
import type { Output } from '../../output.ts';
import { showProgress } from '../../terminal/progress.ts';

export interface PullOptions {
  readonly platform?: string;
  readonly quiet?: boolean;
  readonly allTags?: boolean;
  readonly out: Output;
  readonly isTerminal: boolean;
}

/** Has the engine pull an image, showing the progress. Throws the engine's or the registry's error. */
export async function pullImage(context: Context, image: string, options: PullOptions): Promise<void> {
  const reference = parseReference(image);
  const wanted = options.allTags ? reference : withDefaultTag(reference);
  const messages = context.engine.objects<ProgressMessage>({
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: reference.domain === 'docker.io' ? canonicalName(reference) : familiarName(reference),
      tag: wanted.digest ?? wanted.tag,
      platform: options.platform === '' ? undefined : options.platform,
    },
    headers: { 'X-Registry-Auth': registryAuth(context.config, reference.domain) },
  });
  const columns = context.terminal.size()?.columns;
  await showProgress(messages, options.quiet ? { write: () => undefined } : options.out, {
    isTerminal: options.isTerminal && options.quiet !== true,
    ...(columns !== undefined && { columns }),
  });
}
