import type { ContainerRecord } from '../container-record.ts';
import type { CdiEdits, CdiHook, CdiMount } from '../devices/cdi-spec.ts';
import { capabilitySets } from './capabilities.ts';
import {
  defaultDeviceRules,
  defaultSearchPath,
  kernelMounts,
  maskedPaths,
  readonlyPaths,
} from './default-paths.ts';
import type {
  RuntimeSpec,
  SpecDevice,
  SpecDeviceRule,
  SpecHook,
  SpecMount,
  SpecNamespace,
  SpecProcess,
  SpecRlimit,
  SpecUser,
} from './oci-spec.ts';
import { rootPropagation } from './root-propagation.ts';
import { specResources, type DeviceNumbers } from './resources.ts';
import type { SecurityOptions } from './security-options.ts';
import { specSysctls } from './sysctls.ts';
import type { ResolvedUser } from './user.ts';

/** Everything the spec is made of; all lookups on the host are done by then. */
export interface SpecInput {
  readonly record: ContainerRecord;
  readonly rootPath: string;
  readonly user: ResolvedUser;
  readonly capabilities: readonly string[];
  readonly security: SecurityOptions;
  readonly rlimits: readonly SpecRlimit[];
  /** Volumes, binds, tmpfs and the files of /etc, parents before children. */
  readonly mounts: readonly SpecMount[];
  /** Own or another container's namespaces; a missing type is shared with the host. */
  readonly namespaces: readonly SpecNamespace[];
  readonly devices: readonly SpecDevice[];
  readonly deviceRules: readonly SpecDeviceRule[];
  readonly deviceNumbers: DeviceNumbers;
  readonly cgroupsPath: string;
  readonly hostNetwork: boolean;
  readonly seccomp: { readonly profile: object; readonly bpf: string | undefined } | undefined;
  /** Path of the init inside the container, when one is asked for. */
  readonly initPath: string | undefined;
  readonly apparmorProfile: string | undefined;
  /** What the devices asked for add beside their nodes. */
  readonly edits: Pick<CdiEdits, 'env' | 'mounts' | 'hooks' | 'additionalGids'>;
}

/** One container's runtime spec: the second and last shape of its create request. Pure. */
export function runtimeSpec(input: SpecInput): RuntimeSpec {
  const { record, security } = input;
  const { config, hostConfig } = record;
  const privileged = hostConfig.Privileged ?? false;
  const open = privileged || security.unconfinedPaths;
  const own = new Set(input.namespaces.filter(({ path }) => path === undefined).map(({ type }) => type));
  const hostname = config.Hostname ?? '';
  return {
    ociVersion: '1.0.2',
    process: specProcess(input),
    root: { path: input.rootPath, readonly: hostConfig.ReadonlyRootfs ?? false },
    ...(own.has('uts') && hostname !== '' && { hostname }),
    mounts: [
      ...kernelMounts({
        writable: privileged,
        writableCgroups: security.writableCgroups ?? privileged,
      }).filter((mount) => !input.mounts.some(({ destination }) => destination === mount.destination)),
      ...input.mounts,
      ...input.edits.mounts.map(describedMount),
    ],
    annotations: {
      ...hostConfig.Annotations,
      ...(input.seccomp?.bpf !== undefined && { 'run.oci.seccomp_bpf_data': input.seccomp.bpf }),
    },
    ...(input.edits.hooks.length > 0 && { hooks: specHooks(input.edits.hooks) }),
    linux: {
      sysctl: specSysctls({ ...input, config, hostConfig }),
      resources: specResources(hostConfig, deviceRules(input, privileged), input.deviceNumbers),
      cgroupsPath: input.cgroupsPath,
      namespaces: input.namespaces,
      devices: input.devices,
      ...(input.seccomp && { seccomp: input.seccomp.profile }),
      ...rootPropagation(input.mounts),
      maskedPaths: open ? [] : (hostConfig.MaskedPaths ?? maskedPaths),
      readonlyPaths: open ? [] : (hostConfig.ReadonlyPaths ?? readonlyPaths),
    },
  };
}

function specProcess(input: SpecInput): SpecProcess {
  const { record, user } = input;
  const { config, hostConfig } = record;
  const { Tty: terminal = false, Hostname: hostname = '' } = config;
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return {
    terminal,
    ...(terminal && consoleSize(hostConfig.ConsoleSize)),
    user: withGroups(user.user, input.edits.additionalGids),
    args: input.initPath === undefined ? command : [input.initPath, '--', ...command],
    env: environment([...(config.Env ?? []), ...input.edits.env], {
      hostname,
      tty: terminal,
      home: user.home,
    }),
    cwd: config.WorkingDir ? config.WorkingDir : '/',
    capabilities: capabilitySets(input.capabilities, user.user.uid),
    rlimits: input.rlimits,
    noNewPrivileges: input.security.noNewPrivileges,
    oomScoreAdj: hostConfig.OomScoreAdj ?? 0,
    ...(input.apparmorProfile !== undefined && { apparmorProfile: input.apparmorProfile }),
  };
}

const describedMount = ({ hostPath, containerPath, type, options }: CdiMount): SpecMount => ({
  destination: containerPath,
  type,
  source: hostPath,
  options,
});

const withGroups = (user: SpecUser, groups: readonly number[]): SpecUser =>
  groups.length === 0
    ? user
    : { ...user, additionalGids: [...new Set([...(user.additionalGids ?? []), ...groups])] };

function specHooks(hooks: readonly CdiHook[]): NonNullable<RuntimeSpec['hooks']> {
  const named: Record<string, SpecHook[]> = {};
  for (const { name, path, args, env, timeout } of hooks) {
    const hook = { path, args, env, ...(timeout !== undefined && { timeout }) };
    (named[name] ??= []).push(hook);
  }
  return named;
}

/** Rows and columns, when they are known. */
export function consoleSize(
  size: readonly [number, number] | null | undefined,
): Pick<SpecProcess, 'consoleSize'> {
  const [height = 0, width = 0] = size ?? [];
  return height > 0 && width > 0 ? { consoleSize: { height, width } } : {};
}

/** PATH, HOSTNAME, TERM and HOME come first, so that the image's and the user's own values win. */
export function environment(
  env: readonly string[],
  own: { readonly hostname: string; readonly tty: boolean; readonly home: string },
): readonly string[] {
  const defaults = [
    `PATH=${defaultSearchPath}`,
    `HOSTNAME=${own.hostname}`,
    ...(own.tty ? ['TERM=xterm'] : []),
  ];
  const merged = new Map<string, string>();
  for (const entry of [...defaults, ...env]) {
    const name = entry.split('=', 1)[0] ?? '';
    if (entry.includes('=')) merged.set(name, entry);
    else merged.delete(name);
  }
  if (!merged.has('HOME')) merged.set('HOME', `HOME=${own.home}`);
  return [...merged.values()];
}

function deviceRules(input: SpecInput, privileged: boolean): readonly SpecDeviceRule[] {
  if (privileged) return [{ allow: true, access: 'rwm' }];
  return [...defaultDeviceRules, ...input.deviceRules];
}

/** The spec as JSON text; Infinity becomes RLIM_INFINITY, which no double can hold. */
export function encodeSpec(spec: object): string {
  return JSON.stringify(spec, (_key, value: unknown) =>
    value === Infinity ? '\u0000inf' : value,
  ).replaceAll('"\\u0000inf"', '18446744073709551615');
}
