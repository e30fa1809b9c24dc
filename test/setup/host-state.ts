import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { command, eventually } from './commands.ts';

/** What an engine may leave on a host, one line each. */
export interface HostState {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly cgroups: readonly string[];
  readonly rules: readonly string[];
  readonly processes: readonly string[];
  /** Open descriptors by process, of the processes that were asked for. */
  readonly descriptors: Readonly<Record<string, number>>;
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean);

async function mounts(): Promise<string[]> {
  // Field 5 is where, the one after " - " is the kind.
  return lines(await readFile('/proc/self/mountinfo', 'utf8')).map((line) => {
    const kind = line.slice(line.indexOf(' - ') + 3).split(' ')[0] ?? '';
    return `${line.split(' ')[4] ?? ''} (${kind})`;
  });
}

async function cgroups(): Promise<string[]> {
  const { stdout } = await command('find', ['/sys/fs/cgroup', '-mindepth', '1', '-type', 'd']);
  return lines(stdout);
}

/** `family table: rule`, without counters and handles, which differ from call to call. */
async function rules(): Promise<string[]> {
  const { stdout } = await command('nft', ['-s', 'list', 'ruleset']);
  let table = '';
  return lines(stdout).map((line) => {
    table = /^table (.*) \{$/.exec(line)?.[1] ?? table;
    return `${table}: ${line.trim()}`;
  });
}

const readProcess = (pid: string, file: string): Promise<string> =>
  readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');

const commandLine = async (pid: string): Promise<string> =>
  (await readProcess(pid, 'cmdline')).replaceAll('\0', ' ').trim();

/** `pid command in cgroup`, or `pid zombie (name) of the parent's command`; threads of the kernel do not count. */
async function processes(): Promise<string[]> {
  const found = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [, name, state, parent = ''] =
      /^\d+ (\(.*\)) (\S) (\d+)/.exec(await readProcess(pid, 'stat')) ?? [];
    const cgroup = /^\d+:[^:]*:(.*wharf.*)$/m.exec(await readProcess(pid, 'cgroup'))?.[1] ?? '/';
    const text = await commandLine(pid);
    if (state === 'Z') found.push(`${pid} zombie ${name ?? ''} of ${await commandLine(parent)}`);
    else if (text) found.push(`${pid} ${text} in ${cgroup}`);
  }
  return found;
}

async function descriptorCount(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all(
    (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => '')),
  );
  return targets.filter(Boolean).length;
}

/** `name (alias)`, or `name` alone. An engine's links bear its instance as their alias. */
async function describeLink(name: string): Promise<string> {
  const alias = await readFile(`/sys/class/net/${name}/ifalias`, 'utf8').catch(() => '');
  return alias.trim() === '' ? name : `${name} (${alias.trim()})`;
}

/** A link that another engine has marked as its own, or this one. */
const isMarked = (link: string): boolean => link.includes('(wharf ');

/** Looks at the whole host. `pids`: processes whose open descriptors are counted, by a name of their own. */
export async function hostState(pids: Readonly<Record<string, number>> = {}): Promise<HostState> {
  const descriptors: Record<string, number> = {};
  for (const [name, pid] of Object.entries(pids)) descriptors[name] = await descriptorCount(pid);
  const links = await Promise.all((await readdir('/sys/class/net')).map(describeLink));
  return {
    mounts: await mounts(),
    links,
    cgroups: await cgroups(),
    rules: await rules(),
    processes: await processes(),
    descriptors,
  };
}

/** Lines of `after` that `before` does not have; equal lines count. */
function added(before: readonly string[], after: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of before) left.set(line, (left.get(line) ?? 0) + 1);
  return after.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

/** What is on the host now and was not there before, `kind: line`: nothing of this may stay after a scenario. */
export function leaksBetween(before: HostState, after: HostState, own: (line: string) => boolean): string[] {
  const kinds = ['mounts', 'links', 'cgroups', 'rules', 'processes'] as const;
  const found = kinds.flatMap((kind) =>
    added(before[kind], after[kind])
      .filter((line) => own(line) || (kind === 'links' && !isMarked(line)))
      .map((line) => `${kind}: ${line}`),
  );
  for (const [name, count] of Object.entries(after.descriptors)) {
    // A few come and go with idle connections and worker threads.
    const allowed = (before.descriptors[name] ?? count) + 4;
    if (count > allowed) found.push(`descriptors: ${name} has ${count}, had ${allowed - 4}`);
  }
  return found;
}

/**
 * Asserts that the host is again as it was `before`, waiting up to `timeout` milliseconds for what is tidied up in
 * the background. `own` says whether a mount, cgroup, rule or process may be the engine's: other programs of
 * the host come and go as they like; `lasting` excuses a leak. Links count too unless another engine has marked them.
 */
export async function assertNoLeaks(
  before: HostState,
  options: {
    pids?: Readonly<Record<string, number>>;
    own?: (line: string) => boolean;
    lasting?: (leak: string) => boolean;
    timeout?: number;
  } = {},
): Promise<void> {
  let leaks: string[] = [];
  await eventually(
    async () => {
      const found = leaksBetween(before, await hostState(options.pids), options.own ?? (() => true));
      leaks = found.filter((leak) => !options.lasting?.(leak));
      return leaks.length === 0;
    },
    { timeout: options.timeout ?? 10_000 },
  ).catch(() => undefined);
  assert.deepEqual(leaks, [], 'left behind on the host');
}
