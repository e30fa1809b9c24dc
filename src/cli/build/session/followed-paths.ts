import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { FilePattern } from '#patterns';

const hasWildcard = (text: string): boolean => /[*?[\\]/.test(text);

/**
 * The paths that are needed to reach others in a folder: with every symbolic link on the way its target, which lies in
 * the folder, too. Names may be patterns. Empty where the whole folder is needed (fsutil's follow paths).
 */
export function followedPaths(root: string, paths: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) follow(root, path, found);
  if (found.has('.')) return [];
  const sorted = [...found].sort();
  return sorted.filter((path) => !sorted.some((other) => path !== other && path.startsWith(`${other}/`)));
}

function follow(root: string, path: string, found: Set<string>): void {
  const names = posix.join('.', path).replace(/^\/+/, '').split('/');
  let current = '.';
  for (const [index, name] of names.entries()) {
    current = posix.join(current, name);
    const targets = targetsOf(root, current);
    const rest = names.slice(index + 1).join('/');
    if (rest !== '' && targets.length === 0) continue;
    if (found.has(current)) return;
    found.add(current);
    for (const target of targets) follow(root, posix.join(target, rest), found);
    if (targets.length > 0) return;
  }
}

/** Where the links of this name, or of what it matches, lead to, from the folder's root on. */
function targetsOf(root: string, path: string): readonly string[] {
  const name = basename(path);
  if (!hasWildcard(name)) return linkTarget(root, path);
  const folder = dirname(path);
  let pattern: FilePattern;
  try {
    pattern = new FilePattern(name);
  } catch {
    return [];
  }
  return namesIn(join(root, folder))
    .filter((each) => pattern.matches(each))
    .flatMap((each) => linkTarget(root, posix.join(folder, each)));
}

function linkTarget(root: string, path: string): readonly string[] {
  try {
    if (!lstatSync(join(root, path)).isSymbolicLink()) return [];
    // What would lead out of the folder ends in its root.
    return [posix.join('/', dirname(path), '.', readlink(join(root, path), path))];
  } catch {
    return [];
  }
}

function readlink(file: string, path: string): string {
  const target = readlinkSync(file);
  return posix.isAbsolute(target) ? posix.relative(posix.join('/', dirname(path)), target) : target;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
