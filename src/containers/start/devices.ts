import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import { deviceMajor, deviceMinor } from '#linux';
import type { SpecDevice, SpecDeviceRule } from '../spec/oci-spec.ts';

const fileType = 0o170000;
const typeOf: Readonly<Record<number, SpecDevice['type']>> = { 0o020000: 'c', 0o060000: 'b' };

/** One device node of the host under the container's path; undefined when it is none. */
function readDevice(hostPath: string, path: string): SpecDevice | undefined {
  const stat = lstatSync(hostPath, { bigint: true, throwIfNoEntry: false });
  if (!stat)
    throw invalidArgument(
      `error gathering device information while adding custom device "${hostPath}": no such file or directory`,
    );
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
function readDevices(hostPath: string, path: string, skip: ReadonlySet<string>): readonly SpecDevice[] {
  if (!lstatSync(hostPath, { throwIfNoEntry: false })?.isDirectory()) {
    const device = readDevice(hostPath, path);
    if (!device)
      throw invalidArgument(
        `error gathering device information while adding custom device "${hostPath}": not a device node`,
      );
    return [device];
  }
  return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
    if (skip.has(join(hostPath, entry.name))) return [];
    const [from, to] = [join(hostPath, entry.name), join(path, entry.name)];
    if (entry.isDirectory()) return readDevices(from, to, skip);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const device = readDevice(from, to);
    return device ? [device] : [];
  });
}

/** What a container has of its own in /dev. */
const ownInDev = new Set(
  ['pts', 'shm', 'mqueue', 'fd', 'console', 'ptmx', 'stdin', 'stdout', 'stderr', 'core'].map(
    (name) => `/dev/${name}`,
  ),
);

/** The host's device nodes that a container sees: those of `--device`, or all of them when it is privileged. */
export function containerDevices(host: HostConfig): readonly SpecDevice[] {
  if (host.Privileged) return readDevices('/dev', '/dev', ownInDev);
  return (host.Devices ?? []).flatMap(({ PathOnHost: from = '', PathInContainer: to }) =>
    readDevices(from, to ? to : from, new Set()),
  );
}

/** What the device cgroup allows for `--device` and `--device-cgroup-rule`. Throws invalidArgument. */
export function deviceRules(host: HostConfig, devices: readonly SpecDevice[]): readonly SpecDeviceRule[] {
  if (host.Privileged) return [];
  const permissions = (path: string): string =>
    (host.Devices ?? []).find(({ PathOnHost, PathInContainer }) =>
      path.startsWith(PathInContainer ? PathInContainer : (PathOnHost ?? '')),
    )?.CgroupPermissions ?? 'rwm';
  const rules: SpecDeviceRule[] = devices.map(({ path, type, major, minor }) => ({
    allow: true,
    type,
    major,
    minor,
    access: permissions(path) || 'rwm',
  }));
  for (const text of host.DeviceCgroupRules ?? []) {
    const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
    const [, type = '', major = '', minor = '', access = ''] = match ?? [];
    if (!match) throw invalidArgument(`invalid device cgroup rule format: '${text}'`);
    rules.push({
      allow: true,
      type,
      access,
      ...(major !== '*' && { major: Number(major) }),
      ...(minor !== '*' && { minor: Number(minor) }),
    });
  }
  return rules;
}

/** The numbers of a device node, for limits on it. Throws invalidArgument when there is none. */
export function deviceNumbers(path: string): { readonly major: number; readonly minor: number } {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) throw invalidArgument(`stat ${path}: no such file or directory`);
  return { major: deviceMajor(stat.rdev), minor: deviceMinor(stat.rdev) };
}
