import type { BuildOptions, BuildOutput } from '../../build/build-options.ts';
import { attestWord, parseAttestations } from '../../build/options/attestation.ts';
import { parseCache } from '../../build/options/cache.ts';
import { parseCall } from '../../build/options/call.ts';
import { parseOutput } from '../../build/options/output.ts';
import { variables } from '../../build/options/pairs.ts';
import { parseSecrets } from '../../build/options/secret.ts';
import { parseSsh } from '../../build/options/ssh.ts';
import type { Values } from '../../flags/index.ts';
import { pairs } from '../pairs.ts';
import type { buildFlags } from './build-flags.ts';

type Flags = Values<typeof buildFlags>;
type Environment = Readonly<Record<string, string | undefined>>;

/** What the flags ask for. Throws buildx's texts. */
export function optionsOf(flags: Flags, context: string, env: Environment): BuildOptions {
  const call = parseCall(flags.check ? 'check' : flags.call);
  return {
    context,
    ...given({ dockerfile: flags.file, target: flags.target, network: flags.network }),
    ...given({ cgroupParent: flags['cgroup-parent'] }),
    contexts: namedContexts(flags['build-context']),
    buildArguments: argumentsOf(flags, env),
    labels: pairs(flags.label),
    annotations: flags.annotation,
    platforms: flags.platform,
    tags: flags.tag,
    noCache: flags['no-cache'],
    noCacheFilter: flags['no-cache-filter'],
    pull: flags.pull,
    extraHosts: flags['add-host'],
    shmSize: flags['shm-size'],
    ulimits: flags.ulimit.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    limits: limitsOf(flags),
    entitlements: entitlementsOf(flags),
    outputs: outputsOf(flags),
    cacheFrom: flags['cache-from'].map(parseCache),
    cacheTo: flags['cache-to'].map(parseCache),
    secrets: parseSecrets(flags.secret, env),
    ssh: flags.ssh.map(parseSsh),
    attestations: parseAttestations(
      [...flags.attest, attestWord('provenance', flags.provenance), attestWord('sbom', flags.sbom)].filter(
        (text) => text !== '',
      ),
    ),
    ...(call && { call }),
    explains: flags.explain,
    keepsFailed: flags.debug,
    usesGitIgnore: flags['use-gitignore'],
  };
}

/** The entries that are not empty. */
const given = <K extends string>(values: Record<K, string>): Partial<Record<K, string>> =>
  // The keys are those of the values.
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')) as Partial<
    Record<K, string>
  >;

function argumentsOf(flags: Flags, env: Environment): Record<string, string> {
  const epoch = env['SOURCE_DATE_EPOCH'] ?? '';
  return {
    ...(epoch !== '' && { SOURCE_DATE_EPOCH: epoch }),
    ...variables(flags['build-arg'], env),
  };
}

function namedContexts(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at <= 0) throw new Error(`invalid context value: ${word}, expected key=value`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

const allowed = ['network.host', 'security.insecure', 'device'];

function entitlementsOf(flags: Flags): readonly string[] {
  for (const name of flags.allow) {
    if (!allowed.includes(name) && !name.startsWith('device='))
      throw new Error(`invalid entitlement: ${name}`);
  }
  const needed = flags.network === 'host' && !flags.allow.includes('network.host') ? ['network.host'] : [];
  return [...flags.allow, ...needed];
}

/** --push and --load add an output, or make the one that is named do it. */
function outputsOf(flags: Flags): readonly BuildOutput[] {
  const outputs = flags.output.map(parseOutput);
  if (flags.push) {
    const image = outputs.find(({ type }) => type === 'image' || type === 'registry');
    if (image) {
      return outputs.map((output) =>
        output === image ? { ...output, attrs: { ...output.attrs, push: 'true' } } : output,
      );
    }
    outputs.push({ type: 'image', attrs: { push: 'true' } });
  }
  const isLoaded = outputs.some(
    ({ type, dest }) => type === 'image' || (type === 'docker' && dest === undefined),
  );
  if (flags.load && !isLoaded) outputs.push({ type: 'docker', attrs: {} });
  return outputs;
}

/** Limits of the legacy builder, by the names that BuildKit's frontend has for them. */
function limitsOf(flags: Flags): Record<string, string> {
  const limits: Readonly<Record<string, string | number>> = {
    memory: flags.memory,
    memswap: flags['memory-swap'],
    cpushares: flags['cpu-shares'],
    cpuperiod: flags['cpu-period'],
    cpuquota: flags['cpu-quota'],
    cpusetcpus: flags['cpuset-cpus'],
    cpusetmems: flags['cpuset-mems'],
  };
  return Object.fromEntries(
    Object.entries(limits)
      .filter(([, value]) => value !== 0 && value !== '')
      .map(([name, value]) => [name, String(value)]),
  );
}
