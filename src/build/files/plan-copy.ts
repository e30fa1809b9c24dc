import { posix } from 'node:path';
import { tarHeader, type PlacedEntry, type TarHeader } from '#archive';
import { invalidArgument } from '#kernel';
import { FilePattern, PatternMatcher } from '#patterns';
import type { CopyAction } from '../graph/vertex.ts';
import { changedMode } from './file-mode.ts';
import { resolveLinks, type SourceEntry, type SourceTree } from './source-tree.ts';

/** What has to be known of the file system that is copied to. */
export interface CopyTarget {
  /** Whether there is a folder at an absolute path. */
  isFolder(path: string): boolean;
  /** Where a link at an absolute path leads; the path itself for everything else. */
  follow(path: string): string;
}

/** Owner of everything copied; undefined leaves what the source says, which is root for a build's context. */
export interface CopyOwner {
  readonly uid: number;
  readonly gid: number;
}

/** One thing that a COPY takes: a source and where it goes. */
interface Match {
  readonly path: string;
  readonly entry: SourceEntry;
}

/** Absolute or relative, as a path relative to the root that never leaves it. */
const relative = (path: string): string => posix.join('/', path).slice(1).replace(/\/$/, '');

/**
 * Which entries a COPY or ADD puts where, and archives that are to be unpacked in place of being copied. Follows
 * Docker: a folder's contents are copied, not the folder; a file goes into a destination that is a folder, or ends with
 * a slash. Throws invalidArgument for a source that is not there.
 */
export function planCopy(
  source: SourceTree,
  action: CopyAction,
  target: CopyTarget,
  owner: CopyOwner | undefined,
): readonly PlacedEntry[] {
  const matches = action.include.length > 0 ? includedFrom(source, action) : matchesOf(source, action);
  const excluded = new PatternMatcher(action.exclude);
  const plan = new CopyPlan(source, action, target, owner, excluded);
  for (const match of matches) plan.add(match);
  return plan.entries;
}

/** What the source names: one path, or all that fit a pattern. Links at the end are followed. */
function matchesOf(source: SourceTree, action: CopyAction): readonly Match[] {
  const wanted = relative(action.source);
  if (!action.pattern || !/[*?[\\]/.test(wanted)) return [requireEntry(source, wanted)];
  const pattern = new FilePattern(wanted);
  return [...source.keys()]
    .filter((path) => path !== '' && depth(path) === depth(wanted) && pattern.matches(path))
    .map((path) => requireEntry(source, path));
}

const depth = (path: string): number => path.split('/').length;

const notThere = (path: string): Error =>
  invalidArgument(`failed to compute cache key: failed to calculate checksum of ref: "/${path}": not found`);

function requireEntry(source: SourceTree, path: string): Match {
  const resolved = resolveLinks(source, path);
  const entry = resolved === undefined ? undefined : source.get(resolved);
  if (resolved === undefined || !entry) throw notThere(path);
  // A link keeps the name by which it was asked for.
  return { path: resolved, entry: { ...entry, header: { ...entry.header, name: path } } };
}

/** --parents: what fits below the source, each with the folders that lead to it. */
function includedFrom(source: SourceTree, action: CopyAction): readonly Match[] {
  const root = relative(action.source);
  const base = requireEntry(source, root);
  return [{ ...base, entry: { ...base.entry, header: { ...base.entry.header, name: '' } } }];
}

class CopyPlan {
  readonly entries: PlacedEntry[] = [];
  readonly #source: SourceTree;
  readonly #action: CopyAction;
  readonly #target: CopyTarget;
  readonly #owner: CopyOwner | undefined;
  readonly #excluded: PatternMatcher;
  readonly #included: readonly FilePattern[];
  /** Names of all entries. */
  readonly #places = new Set<string>();

  constructor(
    source: SourceTree,
    action: CopyAction,
    target: CopyTarget,
    owner: CopyOwner | undefined,
    excluded: PatternMatcher,
  ) {
    this.#source = source;
    this.#action = action;
    this.#target = target;
    this.#owner = owner;
    this.#excluded = excluded;
    this.#included = action.include.map((pattern) => new FilePattern(pattern));
  }

  add({ path, entry }: Match): void {
    const { destination } = this.#action;
    const place = relative(destination);
    if (entry.header.type === 'folder') {
      this.#addFolder(path, entry, place);
      return;
    }
    const isFolder = /\/\.?$/.test(destination) || this.#target.isFolder(`/${place}`);
    const name = posix.basename(entry.header.name);
    const goes = isFolder ? posix.join(place, name) : place;
    // Copied by itself, another name of a file is a file.
    const file = entry.header.type === 'hardlink' ? this.#source.get(entry.header.linkName) : undefined;
    this.#put(file ?? entry, relative(this.#target.follow(`/${goes}`)));
  }

  /** A folder's contents; the folder at the destination keeps its own attributes if it is there. */
  #addFolder(path: string, folder: SourceEntry, place: string): void {
    const below = this.#chosenBelow(path);
    if (below.size > 0 && !this.#target.isFolder(`/${place}`)) this.#put(folder, place);
    // What is made for nothing has nobody's attributes.
    if (below.size === 0) this.#makeFolder(place);
    for (const [inside, entry] of below) {
      const goes = posix.join(place, inside);
      if (entry.header.type !== 'hardlink') {
        this.#put(entry, goes);
        continue;
      }
      this.#putLink(path, entry, goes);
    }
  }

  #makeFolder(place: string): void {
    if (this.#target.isFolder(`/${place}`)) return;
    this.#add({ header: tarHeader({ name: place, type: 'folder', mode: 0o755, ...this.#owner }) });
  }

  /** A hard link stays one when its file is copied too; else it becomes the file. */
  #putLink(path: string, entry: SourceEntry, goes: string): void {
    const inside = path === '' ? entry.header.linkName : below(path, entry.header.linkName);
    const linked = inside === undefined ? undefined : this.#placeOf(path, inside, goes, entry);
    if (linked !== undefined) {
      this.#add({ header: this.#header({ ...entry.header, linkName: linked }, goes) });
      return;
    }
    const file = this.#source.get(entry.header.linkName);
    if (file) this.#put(file, goes);
  }

  #placeOf(path: string, inside: string, goes: string, entry: SourceEntry): string | undefined {
    const own = path === '' ? entry.header.name : (below(path, entry.header.name) ?? '');
    const root = goes.slice(0, goes.length - own.length);
    const place = posix.join(root, inside);
    return this.#places.has(place) ? place : undefined;
  }

  /** What is below a folder and asked for, by its path in it, each with the folders that lead to it. */
  #chosenBelow(path: string): ReadonlyMap<string, SourceEntry> {
    const chosen = new Map<string, SourceEntry>();
    const folders = new Map<string, SourceEntry>();
    for (const [each, entry] of this.#source) {
      const inside = below(path, each);
      if (inside === undefined || inside === '') continue;
      if (!this.#excluded.isEmpty && this.#excluded.excludes(inside)) {
        if (entry.header.type === 'folder') folders.set(inside, entry);
        continue;
      }
      if (!this.#isIncluded(inside)) {
        if (entry.header.type === 'folder') folders.set(inside, entry);
        continue;
      }
      // Most copies leave nothing out, and name thousands of files.
      for (const parent of folders.size > 0 ? parentsOf(inside) : []) {
        const folder = folders.get(parent);
        if (folder && !chosen.has(parent)) chosen.set(parent, folder);
      }
      chosen.set(inside, entry);
    }
    return chosen;
  }

  #isIncluded(path: string): boolean {
    if (this.#included.length === 0) return true;
    const candidates = [path, ...parentsOf(path)];
    return this.#included.some((pattern) => candidates.some((each) => pattern.matches(each)));
  }

  #add(entry: PlacedEntry): void {
    this.entries.push(entry);
    this.#places.add(entry.header.name);
  }

  #put(entry: SourceEntry, place: string): void {
    const { from } = entry;
    const header = this.#header(entry.header, place);
    this.#add(from === undefined ? { header } : { header, from });
  }

  #header(header: TarHeader, place: string): TarHeader {
    const mode =
      this.#action.mode === undefined || header.type === 'symlink'
        ? header.mode
        : changedMode(this.#action.mode, header.mode, header.type === 'folder');
    return { ...header, ...this.#owner, name: place === '' ? '.' : place, mode };
  }
}

/** Path of something inside a folder relative to it; undefined for what is elsewhere. */
function below(folder: string, path: string): string | undefined {
  if (folder === '') return path;
  if (path === folder) return '';
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
}

function parentsOf(path: string): string[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}
