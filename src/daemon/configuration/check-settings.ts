import { isIP } from 'node:net';
import { invalidArgument, unimplemented } from '#kernel';
import type { SettingsReader } from './settings-reader.ts';

/** Refuses what dockerd refuses, in its words, and what only this engine does not do. Throws EngineError. */
export function checkSettings(read: SettingsReader): void {
  checkLabels(read.list('labels'));
  checkNumbers(read);
  checkChoices(read);
  for (const address of read.list('dns')) {
    if (isIP(address) === 0) throw invalidArgument(`invalid IP address: ${address}`);
  }
  for (const mirror of read.list('registryMirrors')) checkMirror(mirror);
  for (const option of read.list('execOptions')) checkExecOption(option);
  checkFeatures(read.pairs('features'));
  if (read.flag('ip6tables', true) !== read.flag('iptables', true) && read.given('ip6tables')) {
    throw unimplemented('ip6tables is not supported with another value than iptables: one table has both');
  }
  const gateways = read.list('hostGatewayIps');
  if (gateways.length > 1) {
    throw unimplemented(`host-gateway-ips is not supported with several addresses: ${gateways.join(', ')}`);
  }
}

function checkLabels(labels: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const label of labels) {
    const at = label.indexOf('=');
    if (at < 0) throw invalidArgument(`bad attribute format: ${label}`);
    const key = label.slice(0, at);
    const before = seen.get(key);
    if (before !== undefined && before !== label) {
      throw invalidArgument(`conflict labels for ${key}=${before.slice(at + 1)} and ${label}`);
    }
    seen.set(key, label);
  }
}

const counts = {
  mtu: 'default MTU',
  maxConcurrentDownloads: 'max concurrent downloads',
  maxConcurrentUploads: 'max concurrent uploads',
  maxDownloadAttempts: 'max download attempts',
} as const;

function checkNumbers(read: SettingsReader): void {
  for (const [name, what] of Object.entries(counts)) {
    // The table's own keys.
    const value = read.number(name as keyof typeof counts) ?? 0;
    if (value < 0) throw invalidArgument(`invalid ${what}: ${value}`);
  }
}

function checkChoices(read: SettingsReader): void {
  const isOneOf = (value: string | undefined, choices: readonly string[]): boolean =>
    value === undefined || choices.includes(value);
  const level = read.text('logLevel');
  if (!isOneOf(level, ['debug', 'info', 'warn', 'error', 'fatal'])) {
    throw invalidArgument(`invalid logging level: ${level ?? ''}`);
  }
  const format = read.text('logFormat');
  if (!isOneOf(format, ['text', 'json'])) throw invalidArgument(`invalid log format: ${format ?? ''}`);
  const ipc = read.text('defaultIpcMode');
  if (!isOneOf(ipc, ['private', 'shareable'])) {
    throw invalidArgument(
      `IPC mode "${ipc ?? ''}" is not supported as default value; use "shareable" or "private"`,
    );
  }
  const cgroupns = read.text('defaultCgroupnsMode');
  if (!isOneOf(cgroupns, ['private', 'host'])) {
    throw invalidArgument(`invalid default cgroup namespace (${cgroupns ?? ''}): use "host" or "private"`);
  }
}

function checkMirror(mirror: string): void {
  // Of a registry other than docker.io: `ghcr.io=https://mirror`.
  if (/^(?:[^=/]+=)?https?:\/\/[^/]+/.test(mirror)) return;
  throw invalidArgument(
    `invalid mirror: no scheme specified for "${mirror}": must use either 'https://' or 'http://'`,
  );
}

function checkExecOption(option: string): void {
  const [name = '', value] = option.split('=');
  if (name !== 'native.cgroupdriver')
    throw invalidArgument(`invalid exec-opt (${option}): unknown option: '${name}'`);
  if (value === 'systemd') {
    throw unimplemented('native.cgroupdriver=systemd is not supported: control groups are made directly');
  }
  if (value !== 'cgroupfs') {
    throw invalidArgument(
      `native.cgroupdriver option "${value ?? ''}" not supported: use "cgroupfs" or "systemd"`,
    );
  }
}

/** Features of dockerd that this engine has, or lacks, whatever is asked. */
const fixed: Readonly<Record<string, { readonly is: boolean; readonly reason: string }>> = {
  'containerd-snapshotter': { is: false, reason: 'this engine has an image store of its own' },
  cdi: { is: true, reason: 'CDI devices are always understood' },
  'time-namespaces': { is: false, reason: 'containers have no time namespace' },
};

function checkFeatures(features: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(features)) {
    if (value !== 'true' && value !== 'false') throw invalidArgument(`invalid feature ${name}: ${value}`);
    const known = fixed[name];
    if (known && String(known.is) !== value) {
      throw unimplemented(`feature ${name}=${value} is not supported: ${known.reason}`);
    }
    if (!known && name !== 'buildkit') throw unimplemented(`feature ${name} is not known to this engine`);
  }
}
