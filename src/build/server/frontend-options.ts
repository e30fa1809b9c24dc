import { invalidArgument } from '#kernel';
import { parseImageConfig, parsePlatform, type ImageConfig, type Platform } from '#oci';
import type { PlanOptions } from '../graph/plan-options.ts';
import { extraHostsOf } from './limit-options.ts';

/** What a client asks the Dockerfile frontend for, by BuildKit's names of its options. */
export type FrontendOptions = Readonly<Record<string, string>>;

/** Options with a prefix, by what follows it. */
const prefixed = (options: FrontendOptions, prefix: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

/** Of one platform: those of several are `platformsOf()`. */
export function planOptionsOf(options: FrontendOptions): PlanOptions {
  const network = networkOf(options['force-network-mode'] ?? '');
  const extraHosts = extraHostsOf(options);
  const hostname = options['hostname'] ?? options['build-arg:BUILDKIT_SANDBOX_HOSTNAME'];
  const cacheNamespace = options['build-arg:BUILDKIT_CACHE_MOUNT_NS'];
  const noCache = options['no-cache'];
  const check = options['build-arg:BUILDKIT_DOCKERFILE_CHECK'];
  return {
    ...(check !== undefined && { check }),
    ...(options['target'] !== undefined && { target: options['target'] }),
    buildArguments: prefixed(options, 'build-arg:'),
    labels: prefixed(options, 'label:'),
    contexts: prefixed(options, 'context:'),
    ...(hostname !== undefined && { hostname }),
    ...(cacheNamespace !== undefined && { cacheNamespace }),
    ...(extraHosts.length > 0 && { extraHosts }),
    inputImages: inputImagesOf(prefixed(options, 'input-metadata:')),
    ...(noCache !== undefined && { noCache: noCache === '' ? ('all' as const) : noCache.split(',') }),
    network,
  };
}

/** `force-network-mode` of a build. Throws invalidArgument. */
function networkOf(mode: string): string {
  if (mode === '' || mode === 'sandbox') return 'default';
  if (mode === 'host' || mode === 'none' || mode === 'default') return mode;
  throw invalidArgument(`failed to parse network mode: invalid netmode ${mode}`);
}

/** The platforms to build for; none where the client leaves it to the engine. */
export const platformsOf = (options: FrontendOptions): readonly Platform[] =>
  (options['platform'] ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map(parsePlatform);

/** Key of an image's configuration among what is known of a result. */
export const configKey = 'containerimage.config';

/** What clients hand on of the results that they build on: JSON of values in base64. */
function inputImagesOf(metadata: Readonly<Record<string, string>>): Readonly<Record<string, ImageConfig>> {
  const images: Record<string, ImageConfig> = {};
  for (const [name, text] of Object.entries(metadata)) {
    try {
      const values = JSON.parse(text) as Readonly<Record<string, string>>; // checked by what follows
      const config = values[configKey];
      if (config !== undefined) images[name] = parseImageConfig(Buffer.from(config, 'base64'));
    } catch (error) {
      throw invalidArgument(`failed to parse input metadata ${text}`, error);
    }
  }
  return images;
}
