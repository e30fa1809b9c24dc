import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lstatSync, readFileSync } from 'node:fs';
import { EngineError, invalidArgument, messageOf } from '#kernel';
import { deviceMajor, deviceMinor } from '#linux';
import { resolvConf } from '#networks';
import type { LogConfig } from '#runtime';
import type { ContainerContext } from '../context.ts';
import type { ContainerMount, ContainerRecord } from '../container-record.ts';
import { containerCapabilities } from '../spec/capabilities.ts';
import type { SpecDevice, SpecDeviceRule, SpecMount } from '../spec/oci-spec.ts';
import { specRlimits } from '../spec/rlimits.ts';
import { encodeSpec, runtimeSpec } from '../spec/runtime-spec.ts';
import { parseSecurityOptions } from '../spec/security-options.ts';
import { resolveUser } from '../spec/user.ts';
import { containerDevices, deviceRules } from './devices.ts';
import { extraHosts, hostsFile, writeEtcFiles, type HostsEntry } from './etc-files.ts';
import { ownMounts, specMount } from './mount-specs.ts';
import { containerNamespaces } from './namespaces.ts';
import { openNetwork, type ContainerNetwork } from './network.ts';
import { accountFiles, folderInRoot, makeFolderInRoot, mountRoot, unmountRoot } from './root-file-system.ts';

const initDestination = '/sbin/docker-init';

export const bundleOf = (ctx: ContainerContext, id: string): string => join(ctx.options.bundles, id);
export const rootOf = (ctx: ContainerContext, id: string): string => join(bundleOf(ctx, id), 'rootfs');
export const stateFolderOf = (ctx: ContainerContext, id: string): string => join(ctx.options.root, id);

/**
 * Starts a container's process: root file system, volumes, network, files of /etc, spec, runtime. Everything it
 * opens is given back when a step fails; on success it stays until release().
 */
export async function launch(
  ctx: ContainerContext,
  record: ContainerRecord,
): Promise<{ readonly pid: number; readonly startedAt: bigint }> {
  try {
    const { root, network, mounts } = await openResources(ctx, record);
    await writeFiles(ctx, record, network);
    const spec = composeSpec(ctx, record, { root, network, mounts });
    await writeFile(join(bundleOf(ctx, record.id), 'config.json'), encodeSpec(spec), { mode: 0o600 });
    const { config, hostConfig } = record;
    const [rows = 0, columns = 0] = hostConfig.ConsoleSize ?? [];
    return await ctx.options.runtime.run({
      containerId: record.id,
      bundle: bundleOf(ctx, record.id),
      tty: config.Tty ?? false,
      openStdin: config.OpenStdin ?? false,
      stdinOnce: config.StdinOnce ?? false,
      log: logConfig(ctx, record),
      ...(rows > 0 && columns > 0 && { consoleSize: [rows, columns] as const }),
    });
  } catch (error) {
    await release(ctx, record);
    throw error;
  }
}

/** Gives back all that launch() opened. Idempotent, also after a crash; each step is tried whatever the others do. */
export async function release(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  const { runtime, networks, volumes, logger } = ctx.options;
  const steps: (() => Promise<unknown>)[] = [
    () => runtime.delete(record.id),
    () => networks.closeSandbox(record.id),
    () => unmountRoot(rootOf(ctx, record.id)),
    ...record.mounts.flatMap(({ name }) =>
      name === undefined ? [] : [() => volumes.release(name, record.id)],
    ),
  ];
  for (const step of steps) {
    await step().catch((error: unknown) => {
      logger.error({ container: record.id, error: messageOf(error) }, 'releasing a container failed in part');
    });
  }
}

interface Resources {
  readonly root: string;
  readonly network: ContainerNetwork;
  readonly mounts: readonly SpecMount[];
}

async function openResources(ctx: ContainerContext, record: ContainerRecord): Promise<Resources> {
  const root = rootOf(ctx, record.id);
  await mkdir(bundleOf(ctx, record.id), { recursive: true, mode: 0o700 });
  await mountRoot(ctx.options.snapshots.mounts(record.id), ctx.baseLayer, root);
  const mounts: SpecMount[] = [];
  for (const mount of record.mounts) mounts.push(specMount(mount, await openMount(ctx, record, mount, root)));
  const network = await openNetwork(ctx, record);
  return { root, network, mounts };
}

/** The host path of a mount; a volume is made ready, and filled from the image when it is empty. */
async function openMount(
  ctx: ContainerContext,
  record: ContainerRecord,
  mount: ContainerMount,
  root: string,
): Promise<string> {
  if (mount.type === 'bind') {
    if (!lstatSync(mount.source, { throwIfNoEntry: false })) {
      throw invalidArgument(
        `error while creating mount source path '${mount.source}': bind source path does not exist: make it, or remove the mount`,
      );
    }
    return mount.source;
  }
  if (mount.type !== 'volume' || mount.name === undefined) return mount.source;
  const folder = await ctx.options.volumes.acquire(mount.name, record.id);
  if (mount.copyUp && (await readdir(folder)).length === 0 && folderInRoot(root, mount.destination)) {
    await ctx.options.archiver.copyTree({
      root,
      path: mount.destination,
      target: folder,
      signal: ctx.options.signal,
    });
  }
  if (mount.subpath === undefined) return folder;
  if (!folderInRoot(folder, mount.subpath)) {
    throw invalidArgument(`cannot access path ${join(folder, mount.subpath)}: no such file or directory`);
  }
  return join(folder, mount.subpath);
}

async function writeFiles(
  ctx: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork,
): Promise<void> {
  if (network.mode === 'joined') return;
  const { host } = ctx.options;
  const { config, hostConfig } = record;
  const hostname = config.Hostname ?? '';
  const names = [config.Domainname ? `${hostname}.${config.Domainname}` : '', hostname].filter(
    (name) => name !== '',
  );
  const own: HostsEntry[] = [];
  const endpoints = network.mode === 'own' ? network.sandbox.endpoints : [];
  for (const { ipv4, ipv6 } of endpoints) {
    for (const address of [ipv4?.address, ipv6?.address])
      if (address !== undefined) own.push({ address, names });
  }
  const gateway = host.hostGateway ?? defaultGateway(ctx);
  const userDefined =
    network.mode === 'own' && network.sandbox.endpoints.some(({ networkName }) => networkName !== 'bridge');
  const pick = (
    asked: readonly string[] | null | undefined,
    fallback: readonly string[],
  ): readonly string[] => (asked && asked.length > 0 ? asked : fallback);
  await writeEtcFiles(stateFolderOf(ctx, record.id), {
    hostname,
    hosts: hostsFile([...extraHosts(hostConfig.ExtraHosts ?? [], gateway), ...own], { ipv6: true }),
    resolvConf: resolvConf({
      hostResolvConf: readFileSync('/etc/resolv.conf', 'utf8'),
      mode: network.mode === 'host' ? 'host' : userDefined ? 'resolver' : 'bridge',
      dns: pick(hostConfig.Dns, host.dns),
      search: pick(hostConfig.DnsSearch, host.dnsSearch),
      options: pick(hostConfig.DnsOptions, host.dnsOptions),
    }),
  });
}

const defaultGateway = (ctx: ContainerContext): string | undefined =>
  ctx.options.networks.find('bridge')?.pools[0]?.gateway;

function composeSpec(ctx: ContainerContext, record: ContainerRecord, opened: Resources): object {
  const { host, defaults } = ctx.options;
  const { config, hostConfig } = record;
  const { root, network } = opened;
  const user = resolveUser(config.User ?? '', hostConfig.GroupAdd ?? [], accountFiles(root));
  if (config.WorkingDir) makeFolderInRoot(root, config.WorkingDir, user.user);
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const privileged = hostConfig.Privileged ?? false;
  const capabilities = containerCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged,
    available: host.capabilities,
  });
  const devices: readonly SpecDevice[] = containerDevices(hostConfig);
  const rules: readonly SpecDeviceRule[] = deviceRules(hostConfig, devices);
  const init = hostConfig.Init ? requireInit(host.initPath) : undefined;
  const filesOf = network.mode === 'joined' ? ctx.store.get(network.other).id : record.id;
  return runtimeSpec({
    record,
    rootPath: root,
    user,
    capabilities,
    security,
    rlimits: specRlimits(hostConfig.Ulimits ?? [], defaults.ulimits, host.hardLimits),
    mounts: [
      ...opened.mounts,
      ...sharedMemory(hostConfig.IpcMode),
      ...ownMounts({
        folder: stateFolderOf(ctx, filesOf),
        readonlyRoot: hostConfig.ReadonlyRootfs ?? false,
        taken: new Set(opened.mounts.map(({ destination }) => destination)),
        init: init === undefined ? undefined : { source: init, destination: initDestination },
      }),
    ],
    namespaces: containerNamespaces(hostConfig, network.path, (ref) => ctx.store.get(ref)),
    devices,
    deviceRules: rules,
    deviceNumbers,
    cgroupsPath: `${hostConfig.CgroupParent ? hostConfig.CgroupParent : host.cgroupParent}/${record.id}`,
    cgroup2: host.cgroup2,
    hostNetwork: network.path === undefined,
    privateIpc: !['host'].includes(hostConfig.IpcMode ?? '') && !hostConfig.IpcMode?.startsWith('container:'),
    seccomp: privileged ? undefined : ctx.seccomp.choose(security.seccomp, host.seccomp, capabilities),
    initPath: init === undefined ? undefined : initDestination,
    apparmorProfile: privileged ? undefined : (security.apparmor ?? host.apparmorProfile),
  });
}

/** With the host's IPC namespace the host's shared memory belongs into the container too. */
function sharedMemory(mode: string | undefined): readonly SpecMount[] {
  if (mode !== 'host') return [];
  return ['/dev/shm', '/dev/mqueue'].map((path) => ({
    destination: path,
    type: 'bind',
    source: path,
    options: ['rbind', 'rprivate'],
  }));
}

function requireInit(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new EngineError(
    'internal',
    'exec: "docker-init": executable file not found in $PATH: install tini or catatonit',
  );
}

function deviceNumbers(path: string): { major: number; minor: number } {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) throw invalidArgument(`no such device: ${path}`);
  return { major: deviceMajor(stat.rdev), minor: deviceMinor(stat.rdev) };
}

/** Where and how a container's output is kept. */
export function logConfig(ctx: ContainerContext, record: ContainerRecord): LogConfig {
  const { Type: type, Config: own } = record.hostConfig.LogConfig ?? {};
  const options = { ...ctx.options.defaults.logOptions, ...own };
  const files = Number(options['max-file'] ?? 5);
  const maxSize = parseSize(options['max-size'] ?? '10m');
  return {
    driver: type === 'none' ? 'none' : 'json-file',
    path: join(stateFolderOf(ctx, record.id), `${record.id}-json.log`),
    maxSize,
    maxFiles: files,
  };
}

/** `10m` → bytes; `-1`: unlimited. Throws invalidArgument. */
export function parseSize(text: string): number | undefined {
  if (text === '-1') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text);
  if (!match) throw invalidArgument(`invalid size: '${text}'`);
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase());
  return Math.floor(Number(match[1]) * 1024 ** power);
}
