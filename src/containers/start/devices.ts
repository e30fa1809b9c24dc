import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '#api/types';
import { errnoOf, internal, invalidArgument } from '#kernel';
import { deviceMajor, deviceMinor } from '#linux';
import type { CdiDeviceNode } from '../devices/cdi-spec.ts';
import type { SpecDevice, SpecDeviceRule } from '../spec/oci-spec.ts';

/** A device node of a container, and what its device cgroup allows with it, of `rwm`. */
export interface GrantedDevice {
  readonly node: SpecDevice;
  readonly access: string;
}

const fileType = 0o170000;
const typeOf: Readonly<Record<number, SpecDevice['type']>> = { 0o020000: 'c', 0o060000: 'b' };

const gathering = (hostPath: string, why: string): Error =>
  invalidArgument(`error gathering device information while adding custom device "${hostPath}": ${why}`);

/** One device node of the host under the container's path; undefined when it is none. */
function readDevice(hostPath: string, path: string): SpecDevice | undefined {
  const stat = statSync(hostPath, { bigint: true, throwIfNoEntry: false });
  if (!stat) throw gathering(hostPath, 'no such file or directory');
  const type = typeOf[Number(stat.mode) & fileType];
  if (!type) return undefined;
  return {
    path,
    type,
    major: deviceMajor(stat.rdev),
    minor: deviceMinor(stat.rdev),
    fileMode: Number(stat.mode) & 0o777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
}

/** Device nodes below a folder, as `--device /dev/snd` and `--privileged` want them. */
function readFolder(hostPath: string, path: string, skip: ReadonlySet<string>): readonly SpecDevice[] {
  return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
    if (skip.has(join(hostPath, entry.name))) return [];
    const [from, to] = [join(hostPath, entry.name), join(path, entry.name)];
    if (entry.isDirectory()) return readFolder(from, to, skip);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const device = readDevice(from, to);
    return device ? [device] : [];
  });
}

/** The device that a path names, also by way of a link, or those of a folder. Throws invalidArgument. */
function readAsked(hostPath: string, path: string): readonly SpecDevice[] {
  const real = realPath(hostPath);
  if (lstatSync(real).isDirectory()) return readFolder(real, path, new Set());
  const device = readDevice(real, path);
  if (!device) throw gathering(hostPath, 'not a device node');
  return [device];
}

function realPath(hostPath: string): string {
  try {
    return realpathSync(hostPath);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw gathering(hostPath, 'no such file or directory');
  }
}

/** What a container has of its own in /dev. */
const ownInDev = new Set(
  ['pts', 'shm', 'mqueue', 'fd', 'console', 'ptmx', 'stdin', 'stdout', 'stderr', 'core'].map(
    (name) => `/dev/${name}`,
  ),
);

/**
 * The host's device nodes that a container sees: those of `--device` and of the CDI files; a privileged one has all
 * the others too. Throws invalidArgument for one that is not there.
 */
export function containerDevices(
  host: HostConfig,
  described: readonly CdiDeviceNode[],
): readonly GrantedDevice[] {
  const asked = (host.Devices ?? []).flatMap(
    ({ PathOnHost: from = '', PathInContainer: to, CgroupPermissions: access }) =>
      readAsked(from, to ? to : from).map((node) => ({ node, access: access ? access : 'rwm' })),
  );
  const all = host.Privileged
    ? readFolder('/dev', '/dev', ownInDev).map((node) => ({ node, access: 'rwm' }))
    : [];
  const byPath = new Map<string, GrantedDevice>();
  // Where a path comes twice, the host's own devices stay, and CDI files have the last word.
  for (const device of [...asked, ...all, ...described.map(describedDevice)]) {
    byPath.set(device.node.path, device);
  }
  return [...byPath.values()];
}

const blank = { type: 'c', major: 0, minor: 0, fileMode: 0o666, uid: 0, gid: 0 } as const;

function describedDevice(description: CdiDeviceNode): GrantedDevice {
  const { path, hostPath, permissions: access, type, major, minor, fileMode, uid, gid } = description;
  const complete = type === 'p' || (type !== undefined && major !== undefined && minor !== undefined);
  const known = complete ? blank : readDevice(hostPath, path);
  if (!known) throw gathering(hostPath, 'not a device node');
  return {
    access,
    node: {
      ...known,
      path,
      // `u` is the old name of an unbuffered, that is a character device.
      ...(type !== undefined && { type: type === 'u' ? 'c' : type }),
      ...(major !== undefined && { major }),
      ...(minor !== undefined && { minor }),
      ...(fileMode !== undefined && { fileMode }),
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    },
  };
}

/** What the device cgroup allows for `--device` and `--device-cgroup-rule`. Throws invalidArgument. */
export function deviceRules(host: HostConfig, devices: readonly GrantedDevice[]): readonly SpecDeviceRule[] {
  if (host.Privileged) return [];
  const rules = devices
    .filter(({ node }) => node.type !== 'p')
    .map(({ node: { type, major, minor }, access }): SpecDeviceRule => {
      return { allow: true, type, major, minor, access };
    });
  return [...rules, ...(host.DeviceCgroupRules ?? []).map(parseRule)];
}

/** `c 10:* rw`, `a *:* rwm` (cgroup-v1/devices). */
function parseRule(text: string): SpecDeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  const [, type = '', major = '', minor = '', access = ''] = match ?? [];
  if (!match) throw invalidArgument(`invalid device cgroup rule format: '${text}'`);
  return {
    allow: true,
    type,
    access,
    ...(major !== '*' && { major: Number(major) }),
    ...(minor !== '*' && { minor: Number(minor) }),
  };
}

/** The numbers of a device node, for limits on it. Throws internal, as Docker does, when there is none. */
export function deviceNumbers(path: string): { readonly major: number; readonly minor: number } {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) throw internal(`stat ${path}: no such file or directory`);
  return { major: deviceMajor(stat.rdev), minor: deviceMinor(stat.rdev) };
}
