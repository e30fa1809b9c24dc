import { realpathSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { ResolvedTargets } from '#bake';
import { ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { splitCsv } from '../flags/csv.ts';
import type { BakeJob } from './run-bake.ts';

/** What the command line allows: entitlements, and paths to read and to write; `*` is every path. */
interface Allowed {
  readonly entitlements: ReadonlySet<string>;
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** What a plan needs. */
interface Needs {
  readonly entitlements: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  readonly write: ReadonlySet<string>;
  readonly agent: boolean;
}

const plain = new Set(['network.host', 'security.insecure', 'ssh', 'device']);

/** Reads `--allow`. Throws with buildx's words. */
function parseAllowed(words: readonly string[], granted: ResolvedTargets['granted']): Allowed {
  const entitlements = new Set(granted.entitlements);
  const here = process.cwd();
  const read = [here, ...granted.read];
  const write = [here, ...granted.write];
  for (const word of words) {
    const at = word.indexOf('=');
    const [key, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    if (key === 'fs' || key === 'fs.read') read.push(value);
    if (key === 'fs' || key === 'fs.write') write.push(value);
    if (key === 'device' && value !== '') entitlements.add(`device=${splitCsv(value)[0] ?? ''}`);
    else if (plain.has(word)) entitlements.add(word);
    else if (!['fs', 'fs.read', 'fs.write', 'image', 'image.push', 'image.load'].includes(key)) {
      throw new Error(`unknown entitlement key ${JSON.stringify(key)}`);
    }
  }
  return { entitlements, read, write };
}

function needsOf(jobs: ReadonlyMap<string, BakeJob>): Needs {
  const needs = {
    entitlements: new Set<string>(),
    read: new Set<string>(),
    write: new Set<string>(),
    agent: false,
  };
  for (const job of jobs.values()) {
    for (const name of job.options.entitlements) needs.entitlements.add(name);
    for (const path of pathsToRead(job)) needs.read.add(path);
    for (const path of pathsToWrite(job)) needs.write.add(path);
    needs.agent ||= job.options.ssh.some(({ paths }) => paths.length === 0);
  }
  return needs;
}

const isLocal = (text: string): boolean => !/^(\w[\w+.-]*:|github\.com\/|[\w-]+@[^/:]+:)/.test(text);

function pathsToRead({ options }: BakeJob): string[] {
  const { context, dockerfile, contexts, cacheFrom, secrets, ssh } = options;
  return [
    ...[context, dockerfile ?? '', ...Object.values(contexts)].filter((path) => path !== '' && isLocal(path)),
    ...cacheFrom.flatMap(({ type, attrs }) => (type === 'local' ? (attrs['src'] ?? []) : [])),
    ...[...secrets.values()].flatMap((secret) => ('file' in secret ? [secret.file] : [])),
    ...ssh.flatMap(({ paths }) => paths),
  ];
}

const pathsToWrite = ({ options: { outputs, cacheTo } }: BakeJob): string[] => [
  ...outputs.flatMap(({ dest }) => (dest === undefined || dest === '-' ? [] : [dest])),
  ...cacheTo.flatMap(({ type, attrs }) => (type === 'local' ? (attrs['dest'] ?? []) : [])),
];

/** Without links, as far as a path is there. */
function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : resolve(realPath(parent), relative(parent, whole));
  }
}

function missingPaths(needed: ReadonlySet<string>, allowed: readonly string[]): string[] {
  if (allowed.includes('*')) return [];
  const roots = allowed.map(realPath);
  const isInside = (path: string): boolean =>
    roots.some((root) => path === root || path.startsWith(root === '/' ? root : `${root}/`));
  return [...new Set([...needed].map(realPath))].filter((path) => !isInside(path)).sort();
}

const reasons: Readonly<Record<string, string>> = {
  'network.host': 'Running build containers that can access host network',
  'security.insecure': 'Running privileged containers that can make system changes',
  device: 'Access to CDI devices',
};

/** Paths as people know them: relative where that is short. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('../..') || near === '' ? path : near;
}

/**
 * Definitions come from files that others may have written, so what they ask for beyond the folder of the command has to
 * be allowed by name. Throws ExitStatus, after it has told what is missing.
 */
export function checkEntitlements(
  { jobs, granted }: Pick<ResolvedTargets, 'granted'> & { readonly jobs: ReadonlyMap<string, BakeJob> },
  words: readonly string[],
  { err, env }: Context,
): void {
  const allowed = parseAllowed(words, granted);
  const needs = needsOf(jobs);
  const checksPaths = !/^(0|f|F|FALSE|false|False)$/.test(env['BUILDX_BAKE_ENTITLEMENTS_FS'] ?? '');
  const missing: (readonly [flag: string, reason: string])[] = [];
  for (const name of needs.entitlements) {
    const isGeneral = name.startsWith('device=') && allowed.entitlements.has('device');
    if (allowed.entitlements.has(name) || isGeneral) continue;
    missing.push([name, reasons[name] ?? `Access to device ${name.slice('device='.length)}`]);
  }
  if (checksPaths) {
    if (needs.agent && !allowed.entitlements.has('ssh'))
      missing.push(['ssh', 'Forwarding default SSH agent socket']);
    for (const path of missingPaths(needs.read, allowed.read)) {
      missing.push([`fs.read=${shown(path)}`, `Read access to path ${shown(path)}`]);
    }
    for (const path of missingPaths(needs.write, allowed.write)) {
      missing.push([`fs.write=${shown(path)}`, `Write access to path ${shown(path)}`]);
    }
  }
  if (missing.length === 0) return;
  const flags = missing.map(([flag]) => `--allow=${flag}`).join(' ');
  err.write(
    'Your build is requesting privileges for following possibly insecure capabilities:\n\n' +
      missing.map(([, reason]) => ` - ${reason}\n`).join('') +
      `\nPass ${JSON.stringify(flags)} to grant requested privileges.\n`,
  );
  throw new ExitStatus(1, 'ERROR: additional privileges requested');
}
