import type { BuildOptions } from './build-options.ts';

/** Wharf's own: asks why steps were done. The answer has the same name in the build's response. */
export const explainOption = 'wharf.explain';

const networks = ['', 'default', 'host', 'none'];

/**
 * What the Dockerfile frontend is asked, by BuildKit's names, without where context and Dockerfile are: that is
 * `BuildSources`. Throws for what builds do not have.
 */
export function frontendOptions(options: BuildOptions): Record<string, string> {
  const { network = '', shmSize = 0, call } = options;
  if (!networks.includes(network)) {
    throw new Error(
      `network mode ${JSON.stringify(network)} not supported by buildkit - you can define a custom network for your builder using the network driver-opt`,
    );
  }
  const noCache = options.noCache ? '' : options.noCacheFilter.join(',');
  return {
    ...prefixed('build-arg:', options.buildArguments),
    ...prefixed('label:', options.labels),
    ...prefixed('attest:', options.attestations),
    ...options.limits,
    'image-resolve-mode': options.pull ? 'pull' : 'local',
    ...given('target', options.target),
    ...given('platform', options.platforms.join(',')),
    ...(options.platforms.length > 1 && { 'multi-platform': 'true' }),
    ...((options.noCache || noCache !== '') && { 'no-cache': noCache }),
    ...(network !== '' && network !== 'default' && { 'force-network-mode': network }),
    ...given('add-hosts', options.extraHosts.map(hostOption).join(',')),
    ...(shmSize > 0 && { 'shm-size': String(shmSize) }),
    ...given('ulimit', options.ulimits.join(',')),
    ...given('cgroup-parent', options.cgroupParent),
    ...(options.cacheFrom.length > 0 && { 'cache-imports': cacheImports(options) }),
    ...(call && { requestid: `frontend.${call.name}` }),
    ...(options.explains === true && { [explainOption]: '1' }),
    ...(options.keepsFailed === true && { 'wharf.debug': '1' }),
  };
}

const prefixed = (prefix: string, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));

const given = (name: string, value = ''): Record<string, string> => (value === '' ? {} : { [name]: value });

/** `name:address` as `name=address`. */
function hostOption(text: string): string {
  const at = text.indexOf(':');
  return `${text.slice(0, at)}=${text.slice(at + 1)}`;
}

const cacheImports = ({ cacheFrom }: BuildOptions): string =>
  JSON.stringify(cacheFrom.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })));
