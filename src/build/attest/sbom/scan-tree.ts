import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alpinePackages } from './alpine.ts';
import { debianPackages } from './debian.ts';
import type { Distribution, FoundPackage, Inventory } from './found-package.ts';
import { lockedPackages, npmPackage } from './npm.ts';
import { pythonPackage } from './python.ts';

/** Bytes of a file that is read; larger ones say nothing. */
const largestFile = 64 * 1024 * 1024;

/** Folders of the kernel, where nothing is installed. */
const skipped = new Set(['/proc', '/sys', '/dev']);

/** The first is usually a link to the second. */
const systemFiles = ['/etc/os-release', '/usr/lib/os-release'];

/**
 * Lists the packages under a root, without following a single link: nothing outside it is read. Synchronous: for worker
 * threads.
 */
export function scanTree(root: string): Inventory {
  const packages = new Map<string, FoundPackage>();
  const distributions = new Map<string, Distribution>();
  for (const { path, beside } of filesUnder(root, '/')) {
    const read = readerOf(path, beside);
    const text = read && readText(join(root, path));
    if (read === undefined || text === undefined) continue;
    const found = read(text, path);
    if (!Array.isArray(found)) distributions.set(path, found);
    else {
      for (const one of found) {
        const key = JSON.stringify([one.type, one.name, one.version, one.architecture]);
        if (!packages.has(key)) packages.set(key, one);
      }
    }
  }
  const distribution = systemFiles
    .map((path) => distributions.get(path))
    .find((known) => known && known.id !== '');
  return { distribution, packages: [...packages.values()].sort(byName) };
}

function byName(a: FoundPackage, b: FoundPackage): number {
  const [left, right] = [a, b].map(({ type, name, version }) => `${type} ${name} ${version}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

interface WalkedFile {
  /** From the root, with a slash. */
  readonly path: string;
  /** Names in its folder. */
  readonly beside: ReadonlySet<string>;
}

function* filesUnder(root: string, folder: string): Generator<WalkedFile> {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const beside = new Set(entries.map(({ name }) => name));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile()) yield { path, beside };
    else if (entry.isDirectory() && !skipped.has(path)) yield* filesUnder(root, path);
  }
}

type Reader = (text: string, location: string) => FoundPackage[] | Distribution;

/** What a file says, by its place; `beside`: the names in its folder. */
function readerOf(path: string, beside: ReadonlySet<string>): Reader | undefined {
  if (systemFiles.includes(path)) return distributionOf;
  if (/\/var\/lib\/dpkg\/(?:status|status\.d\/[^/]+(?<!\.md5sums))$/.test(path)) return debianPackages;
  if (/\/lib\/apk\/db\/installed$/.test(path)) return alpinePackages;
  if (/\/node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(path)) return npmPackage;
  // Where the packages are there themselves, they say what is installed.
  if (path.endsWith('/package-lock.json') && !beside.has('node_modules')) return lockedPackages;
  if (/\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/.test(path)) {
    return (text, location) => [pythonPackage(text, location) ?? []].flat();
  }
  return undefined;
}

/** What `NAME="value"` lines say of the system (os-release). */
function distributionOf(text: string): Distribution {
  const valueOf = (name: string): string =>
    new RegExp(`^${name}=["']?(.*?)["']?$`, 'm').exec(text)?.[1] ?? '';
  return { id: valueOf('ID'), version: valueOf('VERSION_ID') };
}

/** Undefined where there is no such file, or it is no file, or too large. */
function readText(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    return fstatSync(file).isFile() && size <= largestFile ? readFileSync(file, 'utf8') : undefined;
  } finally {
    closeSync(file);
  }
}
