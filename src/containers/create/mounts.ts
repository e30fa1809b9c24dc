import { posix } from 'node:path';
import type { ContainerConfig, HostConfig, Mount, TmpfsOptions } from '#api/types';
import { EngineError, invalidArgument, unimplemented } from '#kernel';
import type { VolumeRecord, VolumeSpec } from '#volumes';
import type { ContainerMount } from '../container-record.ts';

/** What settling mounts needs from the host. */
export interface MountHost {
  createVolume(spec: VolumeSpec): Promise<VolumeRecord>;
  /** Makes a missing bind source, as `-v` does. */
  makeFolder(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Mounts of another container, for `--volumes-from`. */
  mountsOf(container: string): readonly ContainerMount[];
}

interface BindMode {
  readonly rw: boolean;
  readonly propagation: string;
  readonly copyUp: boolean;
}

const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const ignoredModes = new Set(['z', 'Z', 'cached', 'delegated', 'consistent', 'rw']);

/**
 * Every mount of a container, settled: `--volumes-from` first, then `-v`, `--mount`, `--tmpfs`, and the image's
 * volumes where nothing else is mounted. Makes the volumes that do not exist yet. Throws in Docker's words.
 */
export async function settleMounts(
  config: ContainerConfig,
  host: HostConfig,
  on: MountHost,
): Promise<readonly ContainerMount[]> {
  const mounts = new Map<string, ContainerMount>();
  for (const from of host.VolumesFrom ?? []) {
    for (const mount of volumesFrom(from, on)) mounts.set(mount.destination, mount);
  }
  const own = new Set<string>();
  const claim = (mount: ContainerMount): void => {
    if (own.has(mount.destination)) throw invalidArgument(`Duplicate mount point: ${mount.destination}`);
    own.add(mount.destination);
    mounts.set(mount.destination, mount);
  };
  for (const bind of host.Binds ?? []) claim(await settleBind(bind, host, on));
  for (const mount of host.Mounts ?? []) claim(await settleMount(mount, on));
  for (const [destination, options] of Object.entries(host.Tmpfs ?? {})) {
    if (!destination.startsWith('/')) {
      throw invalidArgument(`invalid mount path: '${destination}' mount path must be absolute`);
    }
    claim(tmpfs(cleanDestination(destination), options));
  }
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = cleanDestination(path);
    if (mounts.has(destination)) continue;
    const volume = await on.createVolume({ ...driverOf(host) });
    mounts.set(
      destination,
      volumeMount(volume, destination, '', { rw: true, propagation: '', copyUp: true }),
    );
  }
  return [...mounts.values()].sort(byDepth);
}

/** Parents before children. */
const byDepth = (a: ContainerMount, b: ContainerMount): number =>
  a.destination.split('/').length - b.destination.split('/').length;

const driverOf = (host: HostConfig): { driver?: string } =>
  host.VolumeDriver ? { driver: host.VolumeDriver } : {};

function volumesFrom(spec: string, on: MountHost): readonly ContainerMount[] {
  const [container = '', mode = 'rw'] = spec.split(':');
  const { rw } = parseMode(mode, mode);
  return on
    .mountsOf(container)
    .filter(({ type }) => type !== 'tmpfs')
    .map((mount) => ({ ...mount, rw: mount.rw && rw, copyUp: false }));
}

/** `source:destination[:mode]`, or `destination` alone for an anonymous volume (which clients send as Volumes). */
async function settleBind(text: string, host: HostConfig, on: MountHost): Promise<ContainerMount> {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part, index) => part === '' && index < 2)) {
    throw invalidArgument(`invalid volume specification: '${text}'`);
  }
  const [source = '', target, modeText = ''] = parts.length === 1 ? ['', parts[0]] : parts;
  const mode = parseMode(modeText, text);
  const destination = cleanDestination(target ?? '', text);
  if (source.startsWith('/')) {
    if (!mode.copyUp) {
      throw invalidArgument(`invalid volume specification: '${text}'`);
    }
    const path = posix.normalize(source);
    if (!(await on.exists(path))) await on.makeFolder(path);
    return bindMount(path, destination, modeText, mode);
  }
  const volume = await on.createVolume({ ...(source !== '' && { name: source }), ...driverOf(host) });
  return volumeMount(volume, destination, modeText === '' ? 'z' : modeText, mode);
}

function parseMode(text: string, whole: string): BindMode {
  let rw = true;
  let propagation = '';
  let copyUp = true;
  const seen = new Set<string>();
  for (const option of text === '' ? [] : text.split(',')) {
    if (seen.has(option)) throw new EngineError('internal', `invalid mode: ${text}`);
    seen.add(option);
    if (option === 'ro' || option === 'readonly') rw = false;
    else if (option === 'nocopy') copyUp = false;
    else if (propagations.has(option)) propagation = option;
    // Docker answers 500 for an unknown mode, and its clients have learnt to live with it.
    else if (!ignoredModes.has(option)) throw new EngineError('internal', `invalid mode: ${text}`);
  }
  if (seen.has('ro') && seen.has('rw')) throw invalidArgument(`invalid volume specification: '${whole}'`);
  return { rw, propagation, copyUp };
}

function cleanDestination(path: string, whole = path): string {
  if (!path.startsWith('/')) {
    throw invalidArgument(
      `invalid volume specification: '${whole}': invalid mount config for type "volume": invalid mount path: '${path}' mount path must be absolute`,
    );
  }
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (clean === '/') {
    throw invalidArgument(
      `invalid volume specification: '${whole}': invalid specification: destination can't be '/'`,
    );
  }
  return clean;
}

const bindMount = (source: string, destination: string, mode: string, settled: BindMode): ContainerMount => ({
  type: 'bind',
  source,
  destination,
  mode,
  rw: settled.rw,
  propagation: settled.propagation === '' ? 'rprivate' : settled.propagation,
  copyUp: false,
});

const volumeMount = (
  volume: VolumeRecord,
  destination: string,
  mode: string,
  settled: BindMode,
  subpath?: string,
): ContainerMount => ({
  type: 'volume',
  name: volume.name,
  source: volume.mountpoint,
  destination,
  mode,
  rw: settled.rw,
  propagation: settled.propagation,
  copyUp: settled.copyUp && subpath === undefined,
  ...(subpath !== undefined && { subpath }),
});

const tmpfs = (destination: string, tmpfsOptions: string): ContainerMount => ({
  type: 'tmpfs',
  source: '',
  destination,
  mode: '',
  rw: !/(^|,)ro(,|$)/.test(tmpfsOptions),
  propagation: '',
  copyUp: false,
  tmpfsOptions,
});

interface MountRequest {
  readonly mount: Mount;
  readonly source: string;
  readonly destination: string;
  readonly rw: boolean;
  readonly invalid: (why: string) => EngineError;
}

async function settleMount(mount: Mount, on: MountHost): Promise<ContainerMount> {
  const invalid = (why: string): EngineError =>
    invalidArgument(`invalid mount config for type "${mount.Type ?? ''}": ${why}`);
  const destination = mountTarget(mount, invalid);
  const request = { mount, source: mount.Source ?? '', destination, rw: !(mount.ReadOnly ?? false), invalid };
  if (mount.Type === 'bind') return settleBindMount(request, on);
  if (mount.Type === 'volume') return settleVolumeMount(request, on);
  if (mount.Type === 'tmpfs') {
    if (request.source !== '') throw invalid('field Source must not be specified');
    return tmpfs(destination, tmpfsText(mount.TmpfsOptions ?? {}, request.rw));
  }
  if (mount.Type === 'image')
    throw unimplemented('mounts of type image are not supported by this engine yet');
  throw invalidArgument(`mount type unknown`);
}

function mountTarget(mount: Mount, invalid: MountRequest['invalid']): string {
  if (!mount.Target) throw invalid('field Target must not be empty');
  if (!mount.Target.startsWith('/')) {
    throw invalid(`invalid mount path: '${mount.Target}' mount path must be absolute`);
  }
  const destination = posix.normalize(mount.Target).replace(/(.)\/$/, '$1');
  if (destination === '/') throw invalid("invalid specification: destination can't be '/'");
  return destination;
}

async function settleVolumeMount(request: MountRequest, on: MountHost): Promise<ContainerMount> {
  const { mount, source, destination, rw } = request;
  const options = mount.VolumeOptions ?? {};
  const driver = options.DriverConfig;
  const volume = await on.createVolume({
    ...(source !== '' && { name: source }),
    ...(driver?.Name && { driver: driver.Name }),
    options: driver?.Options ?? {},
    labels: options.Labels ?? {},
  });
  const settled = { rw, propagation: '', copyUp: !(options.NoCopy ?? false) };
  return volumeMount(volume, destination, 'z', settled, options.Subpath || undefined);
}

async function settleBindMount(request: MountRequest, on: MountHost): Promise<ContainerMount> {
  const { mount, source, destination, rw, invalid } = request;
  if (source === '') throw invalid('field Source must not be empty');
  if (!source.startsWith('/')) {
    throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
  }
  const propagation = mount.BindOptions?.Propagation ?? '';
  if (propagation !== '' && !propagations.has(propagation))
    throw invalid(`invalid propagation mode: ${propagation}`);
  const path = posix.normalize(source);
  if (!(await on.exists(path))) {
    if (!mount.BindOptions?.CreateMountpoint) throw invalid(`bind source path does not exist: ${path}`);
    await on.makeFolder(path);
  }
  return {
    ...bindMount(path, destination, '', { rw, propagation, copyUp: false }),
    ...(mount.BindOptions?.NonRecursive && { nonRecursive: true }),
    ...(mount.BindOptions?.ReadOnlyNonRecursive && { readonlyNonRecursive: true }),
  };
}

function tmpfsText(options: TmpfsOptions, rw: boolean): string {
  const parts = [
    ...(rw ? [] : ['ro']),
    ...(options.SizeBytes ? [`size=${options.SizeBytes}`] : []),
    ...(options.Mode ? [`mode=${options.Mode.toString(8)}`] : []),
    ...(options.Options ?? []).map((option) => option.join('=')),
  ];
  return parts.join(',');
}
