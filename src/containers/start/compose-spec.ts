import { EngineError } from '#kernel';
import type { HostConfig } from '#api/types';
import { cgroupPath } from '../container-cgroup.ts';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { requestedDevices } from '../devices/device-requests.ts';
import { withLinkVariables } from '../links.ts';
import { capabilitiesOf } from '../spec/capabilities.ts';
import type { RuntimeSpec, SpecMount } from '../spec/oci-spec.ts';
import { specRlimits } from '../spec/rlimits.ts';
import { runtimeSpec, type SpecInput } from '../spec/runtime-spec.ts';
import { apparmorOf, parseSecurityOptions } from '../spec/security-options.ts';
import { resolveUser } from '../spec/user.ts';
import { stateFolderOf } from './container-paths.ts';
import { containerDevices, deviceNumbers, deviceRules } from './devices.ts';
import { ownMounts } from './mount-specs.ts';
import { containerNamespaces } from './namespaces.ts';
import type { ContainerNetwork } from './network.ts';
import { accountFiles, makeFolderInRoot } from './root-file-system.ts';

/** What is open by the time the spec is made. */
export interface OpenedResources {
  /** The mounted root file system. */
  readonly root: string;
  readonly network: ContainerNetwork;
  readonly mounts: readonly SpecMount[];
  /** /dev/shm, if there is to be one. */
  readonly sharedMemory: readonly SpecMount[];
}

const initDestination = '/sbin/docker-init';

/** Looks up on the host and in the root what the pure runtimeSpec() needs; makes the working directory. */
export async function composeSpec(
  ctx: ContainerContext,
  record: ContainerRecord,
  opened: OpenedResources,
): Promise<RuntimeSpec> {
  const { host, defaults, logger } = ctx.options;
  const { config, hostConfig } = record;
  const { root, network } = opened;
  const taken = new Set(opened.mounts.map(({ destination }) => destination));
  const user = resolveUser(config.User ?? '', hostConfig.GroupAdd ?? [], accountFiles(root));
  if (config.WorkingDir) makeFolderInRoot(root, config.WorkingDir, { uid: 0, gid: 0 });
  const edits = await requestedDevices(hostConfig.DeviceRequests ?? [], host.cdiSpecDirs, logger);
  const devices = containerDevices(hostConfig, edits.deviceNodes);
  const init = hostConfig.Init ? requireInit(host.initPath) : undefined;
  return runtimeSpec({
    record: withLinkVariables(ctx, withSharedName(ctx, record, network)),
    rootPath: root,
    user,
    ...confinement(ctx, hostConfig),
    rlimits: specRlimits(hostConfig.Ulimits ?? [], defaults.ulimits, host.hardLimits),
    mounts: [
      ...opened.mounts,
      ...opened.sharedMemory.filter(({ destination }) => !taken.has(destination)),
      ...ownMounts({
        folder: stateFolderOf(ctx, network.mode === 'joined' ? ctx.store.get(network.other).id : record.id),
        readonlyRoot: hostConfig.ReadonlyRootfs ?? false,
        taken,
        init: init === undefined ? undefined : { source: init, destination: initDestination },
      }),
    ],
    namespaces: containerNamespaces(hostConfig, network.path, (ref) => ctx.store.get(ref)),
    devices: devices.map(({ node }) => node),
    edits,
    deviceRules: deviceRules(hostConfig, devices),
    deviceNumbers,
    cgroupsPath: cgroupPath(ctx, record),
    hostNetwork: network.path === undefined,
    initPath: init === undefined ? undefined : initDestination,
  });
}

/** A container in another's network bears that one's host name. */
function withSharedName(
  ctx: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork,
): ContainerRecord {
  if (network.mode !== 'joined') return record;
  const { Hostname = '', Domainname = '' } = ctx.store.get(network.other).config;
  return { ...record, config: { ...record.config, Hostname, Domainname } };
}

/**
 * What holds the container's processes down: capabilities, seccomp, AppArmor. A privileged one has all capabilities
 * and is under no more than what it names itself.
 */
function confinement(
  ctx: ContainerContext,
  hostConfig: HostConfig,
): Pick<SpecInput, 'security' | 'capabilities' | 'seccomp' | 'apparmorProfile'> {
  const { host } = ctx.options;
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], host);
  const capabilities = capabilitiesOf(hostConfig, false, host.capabilities);
  const fallback = hostConfig.Privileged ? 'unconfined' : host.seccomp;
  return {
    security,
    capabilities,
    seccomp: ctx.seccomp.choose(security.seccomp, fallback, capabilities),
    apparmorProfile: apparmorOf(hostConfig, host),
  };
}

function requireInit(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new EngineError(
    'internal',
    'exec: "docker-init": executable file not found in $PATH: install tini or catatonit',
  );
}
