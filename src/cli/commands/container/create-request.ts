import { resolve } from 'node:path';
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from '#api/types';
import { ExitStatus } from '../../command.ts';
import { parseExposed, parsePublished, readWordFile, resolveEnvWord } from '../../flags/index.ts';
import { pairs } from '../pairs.ts';
import type { CreateValues } from './create-flags.ts';
import { makeHealthcheck } from './create-health.ts';
import { makeEndpoints, networkMode } from './create-networks.ts';
import { makeResources } from './create-resources.ts';
import { parseSecurity } from './create-security.ts';
import { parseRestart } from './restart-policy.ts';

const asSet = (names: readonly string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(names.map((name) => [name, {}]));

/** Turns the options of `create` and `run` into the body of the request. Throws Docker's texts. */
export function makeCreateRequest(
  flags: CreateValues,
  changed: ReadonlySet<string>,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ContainerCreateRequest {
  refuseWindows(changed);
  const { binds, volumes } = splitVolumes(flags.volume);
  const published = parsePublished(flags.publish);
  const exposed = [...published.exposed, ...parseExposed(flags.expose)];
  const config = makeConfig(flags, changed, args, env, volumes, exposed);
  const restart = parseRestart(flags.restart);
  if (flags.rm && restart.Name !== 'no' && restart.Name !== '') {
    throw new Error('conflicting options: cannot specify both --restart and --rm');
  }
  if (flags.rm && flags['restart-unhealthy']) {
    throw new Error('conflicting options: cannot specify both --restart-unhealthy and --rm');
  }
  return {
    ...config,
    HostConfig: {
      ...makeHostConfig(flags, changed, binds),
      PortBindings: published.bindings,
      RestartPolicy: restart,
      ...(flags['restart-unhealthy'] && { RestartUnhealthy: true }),
    },
    NetworkingConfig: { EndpointsConfig: makeEndpoints(flags) },
  };
}

/** Options that only engines on Windows know. */
function refuseWindows(changed: ReadonlySet<string>): void {
  const given = ['cpu-count', 'cpu-percent', 'io-maxbandwidth', 'io-maxiops'].filter((name) =>
    changed.has(name),
  );
  if (given.length === 0) return;
  const lines = given.map(
    (name) =>
      `"--${name}" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux`,
  );
  throw new ExitStatus(1, lines.join('\n'));
}

function makeConfig(
  flags: CreateValues,
  changed: ReadonlySet<string>,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  volumes: readonly string[],
  exposed: readonly string[],
): ContainerConfig {
  const [image = '', ...command] = args;
  const stdin = flags.interactive || flags.attach.includes('stdin');
  const all = flags.attach.length === 0;
  const healthcheck = makeHealthcheck(flags, changed);
  const entrypoint = flags.entrypoint !== '' ? [flags.entrypoint] : changed.has('entrypoint') ? [''] : null;
  const words = [
    ...flags['env-file'].flatMap((path) => readWordFile(path, env)),
    ...flags.env.map((word) => resolveEnvWord(word, env)),
  ];
  const labels = [...flags['label-file'].flatMap((path) => readWordFile(path, undefined)), ...flags.label];
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: stdin,
    AttachStdout: all || flags.attach.includes('stdout'),
    AttachStderr: all || flags.attach.includes('stderr'),
    ...(exposed.length > 0 && { ExposedPorts: asSet(exposed) }),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && stdin,
    Env: words.length > 0 ? words : null,
    Cmd: command.length > 0 ? command : null,
    ...(healthcheck && { Healthcheck: healthcheck }),
    Image: image,
    Volumes: asSet(volumes),
    WorkingDir: flags.workdir,
    Entrypoint: entrypoint,
    OnBuild: null,
    Labels: pairs(labels),
    ...(changed.has('stop-signal') && { StopSignal: flags['stop-signal'] }),
    ...(changed.has('stop-timeout') && { StopTimeout: flags['stop-timeout'] }),
  };
}

function makeHostConfig(
  flags: CreateValues,
  changed: ReadonlySet<string>,
  binds: readonly string[],
): HostConfig {
  checkNamespaces(flags);
  const logOptions = pairs(flags['log-opt']);
  if (flags['log-driver'] === 'none' && flags['log-opt'].length > 0) {
    throw new Error('invalid logging opts for driver none');
  }
  const orNull = <T>(values: readonly T[]): readonly T[] | null => (values.length > 0 ? values : null);
  const tmpfs = Object.fromEntries(flags.tmpfs.map((text) => cut(text, ':')));
  return {
    ...makeResources(flags, changed),
    ...parseSecurity(flags['security-opt']),
    Binds: orNull(binds),
    ContainerIDFile: flags.cidfile,
    LogConfig: { Type: flags['log-driver'], Config: logOptions },
    NetworkMode: networkMode(flags),
    AutoRemove: flags.rm,
    VolumeDriver: flags['volume-driver'],
    VolumesFrom: orNull(flags['volumes-from']),
    ConsoleSize: [0, 0],
    ...(Object.keys(flags.annotation).length > 0 && { Annotations: flags.annotation }),
    CapAdd: orNull(flags['cap-add'].map(capability)),
    CapDrop: orNull(flags['cap-drop'].map(capability)),
    // checkNamespaces() has seen it.
    CgroupnsMode: flags.cgroupns as '' | 'private' | 'host',
    Dns: flags.dns,
    DnsOptions: flags['dns-option'],
    DnsSearch: flags['dns-search'],
    ExtraHosts: orNull(flags['add-host']),
    GroupAdd: orNull(flags['group-add']),
    IpcMode: flags.ipc,
    Cgroup: '',
    Links: orNull(flags.link),
    OomScoreAdj: flags['oom-score-adj'],
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags['publish-all'],
    ReadonlyRootfs: flags['read-only'],
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags['shm-size'],
    ...(flags.runtime !== '' && { Runtime: flags.runtime }),
    Isolation: flags.isolation,
    ...(flags.mount.length > 0 && { Mounts: flags.mount }),
    ...(flags.tmpfs.length > 0 && { Tmpfs: tmpfs }),
    ...(Object.keys(flags.sysctl).length > 0 && { Sysctls: flags.sysctl }),
    ...(flags['storage-opt'].length > 0 && { StorageOpt: storageOptions(flags['storage-opt']) }),
    ...(changed.has('init') && { Init: flags.init }),
  };
}

function storageOptions(words: readonly string[]): Record<string, string> {
  if (words.some((word) => !word.includes('='))) throw new Error('invalid storage option');
  return pairs(words);
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const capability = (name: string): string => {
  const upper = name.trim().toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') || upper === 'RESET' ? upper : `CAP_${upper}`;
};

function checkNamespaces(flags: CreateValues): void {
  if (flags.pid !== '' && flags.pid !== 'host' && !/^container:./.test(flags.pid)) {
    throw new Error('--pid: invalid PID mode');
  }
  if (flags.uts !== '' && flags.uts !== 'host') throw new Error('--uts: invalid UTS mode');
  if (flags.userns !== '' && flags.userns !== 'host') throw new Error('--userns: invalid USER mode');
  if (!['', 'private', 'host'].includes(flags.cgroupns)) throw new Error('--cgroupns: invalid CGROUP mode');
}

/** Tells binds and named volumes (`source:target`) from anonymous volumes (`target`). */
function splitVolumes(texts: readonly string[]): { binds: readonly string[]; volumes: readonly string[] } {
  const binds: string[] = [];
  const volumes: string[] = [];
  for (const text of texts) {
    const sections = volumeSections(text);
    if (sections.length < 2) {
      volumes.push(text);
      continue;
    }
    const [source, rest] = cut(text, ':');
    binds.push(source.startsWith('.') ? `${resolve(source)}:${rest}` : text);
  }
  return { binds, volumes };
}

/** The parts between colons; a single letter before a colon is the drive of a Windows path. */
function volumeSections(text: string): readonly string[] {
  if (text.length <= 2) return [text];
  const sections: string[] = [];
  for (let rest = text; ; rest = rest.slice(1)) {
    const [section = ''] = /^(?:[A-Za-z]:[^:]*|[^:]*)/.exec(rest) ?? [];
    if (section === '') throw new Error(`invalid spec: ${text}: empty section between colons`);
    sections.push(section);
    rest = rest.slice(section.length);
    if (rest === '') return sections;
  }
}
