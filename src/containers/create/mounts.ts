import { posix } from 'node:path';
import type { ContainerConfig, HostConfig, Mount, TmpfsOptions } from '#api/types';
import { invalidArgument, type EngineError } from '#kernel';
import type { VolumeRecord, VolumeSpec } from '#volumes';
import type { ContainerMount, MountedImage } from '../container-record.ts';
import { isPropagation, parseMode, parseVolumesFrom, type MountMode } from './mount-modes.ts';

/** What settling mounts needs from the host. */
export interface MountHost {
  createVolume(spec: VolumeSpec): Promise<VolumeRecord>;
  exists(path: string): Promise<boolean>;
  /** Throws notFound `No such image: …`. */
  image(name: string): MountedImage;
  /** Mounts of another container, for `--volumes-from`. */
  mountsOf(container: string): readonly ContainerMount[];
}

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
    claim(tmpfs(cleanDestination(destination, invalidArgument), options));
  }
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = cleanDestination(path, invalidArgument);
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
  const { container, rw } = parseVolumesFrom(spec);
  return on
    .mountsOf(container)
    .filter(({ type }) => type !== 'tmpfs')
    .map((mount) => ({ ...mount, mode: '', rw: mount.rw && rw, copyUp: false }));
}

/** `source:destination[:mode]`, or `destination` alone for an anonymous volume (which clients send as Volumes). */
async function settleBind(text: string, host: HostConfig, on: MountHost): Promise<ContainerMount> {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part, index) => part === '' && index < 2)) {
    throw invalidArgument(`invalid volume specification: '${text}'`);
  }
  const [source = '', target = '', modeText = ''] = parts.length === 1 ? ['', parts[0]] : parts;
  const mode = parseMode(modeText);
  const isBind = source.startsWith('/');
  const invalid = (why: string): EngineError =>
    invalidArgument(
      `invalid volume specification: '${text}': invalid mount config for type "${isBind ? 'bind' : 'volume'}": ${why}`,
    );
  const destination = cleanDestination(target, invalid);
  if (isBind) {
    if (!mode.copyUp) throw invalid('field VolumeOptions must not be specified');
    const path = posix.normalize(source);
    return { ...bindMount(path, destination, modeText, mode), makesSource: true };
  }
  if (mode.propagation !== '') throw invalid('field BindOptions must not be specified');
  const volume = await on.createVolume({ ...(source !== '' && { name: source }), ...driverOf(host) });
  return volumeMount(volume, destination, modeText === '' ? 'z' : modeText, mode);
}

/** The path without `..` and a last slash. Throws what `invalid` makes for one that nothing can be mounted on. */
function cleanDestination(path: string, invalid: (why: string) => EngineError): string {
  if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (clean === '/') throw invalid("invalid specification: destination can't be '/'");
  return clean;
}

const bindMount = (
  source: string,
  destination: string,
  mode: string,
  settled: MountMode,
): ContainerMount => ({
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
  settled: MountMode,
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
  if (mount.Type === 'image') return settleImageMount(request, on);
  throw invalid('mount type unknown');
}

/** An image's files, read-only. */
function settleImageMount(
  { mount, source, destination, invalid }: MountRequest,
  on: MountHost,
): ContainerMount {
  if (source === '') throw invalid('field Source must not be empty');
  const subpath = relativePath(mount.ImageOptions?.Subpath, invalid);
  return {
    type: 'image',
    image: on.image(source),
    source: '',
    destination,
    mode: '',
    rw: false,
    propagation: 'rprivate',
    copyUp: false,
    ...(subpath !== undefined && { subpath }),
  };
}

/** A subpath as it may be: relative, and not out of what is mounted. */
function relativePath(path: string | undefined, invalid: MountRequest['invalid']): string | undefined {
  if (path === undefined || path === '') return undefined;
  if (path.startsWith('/') || posix.normalize(path).split('/')[0] === '..') {
    throw invalid('subpath must be a relative path within the volume');
  }
  return path;
}

function mountTarget(mount: Mount, invalid: MountRequest['invalid']): string {
  if (!mount.Target) throw invalid('field Target must not be empty');
  return cleanDestination(mount.Target, invalid);
}

async function settleVolumeMount(request: MountRequest, on: MountHost): Promise<ContainerMount> {
  const { mount, source, destination, rw, invalid } = request;
  const options = mount.VolumeOptions ?? {};
  const subpath = relativePath(options.Subpath, invalid);
  if (subpath !== undefined && source === '') {
    throw invalid('must not set Subpath when using anonymous volumes');
  }
  const driver = options.DriverConfig;
  const volume = await on.createVolume({
    ...(source !== '' && { name: source }),
    ...(driver?.Name && { driver: driver.Name }),
    options: driver?.Options ?? {},
    labels: options.Labels ?? {},
  });
  const settled = { rw, propagation: '', copyUp: !(options.NoCopy ?? false) };
  return volumeMount(volume, destination, 'z', settled, subpath);
}

async function settleBindMount(request: MountRequest, on: MountHost): Promise<ContainerMount> {
  const { mount, source, destination, rw, invalid } = request;
  if (source === '') throw invalid('field Source must not be empty');
  if (!source.startsWith('/')) {
    throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
  }
  const propagation = mount.BindOptions?.Propagation ?? '';
  if (propagation !== '' && !isPropagation(propagation))
    throw invalid(`invalid propagation mode: ${propagation}`);
  const path = posix.normalize(source);
  if (!mount.BindOptions?.CreateMountpoint && !(await on.exists(path))) {
    throw invalid(`bind source path does not exist: ${path}`);
  }
  return {
    ...bindMount(path, destination, '', { rw, propagation, copyUp: false }),
    ...(mount.BindOptions?.CreateMountpoint && { makesSource: true }),
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
