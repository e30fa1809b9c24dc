import { lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '#kernel';
import type { BuildParts } from '../solver/ports.ts';
import { mounted, resolveIn } from './mounted.ts';

/** Folders that every image has after a command has run in it, as with BuildKit. */
const kernelFolders = ['proc', 'sys'];

/**
 * Makes ready what a command's mounts lie on. Answers the places that are made only for them, the innermost first: they
 * are no part of the image.
 */
export async function prepareRoot(
  parts: BuildParts,
  key: string,
  targets: readonly string[],
): Promise<readonly string[]> {
  const { lower, upper = '' } = parts.snapshots.mounts(key);
  for (const name of kernelFolders) {
    const known = [upper, ...lower].some((folder) =>
      lstatSync(join(folder, name), { throwIfNoEntry: false }),
    );
    if (!known) mkdirSync(join(upper, name), { mode: 0o755 });
  }
  if (targets.length === 0) return [];
  return mounted(parts, key, { readonly: true }, (root) =>
    Promise.resolve([...new Set(targets.flatMap((target) => missingOn(root, target)))]),
  );
}

/** The path and the folders above it that are not there. */
function missingOn(root: string, target: string): string[] {
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  const paths = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  return paths.filter((path) => !resolveIn(root, path)).reverse();
}

/** Removes those of the places that are empty still. */
export async function removeStubs(parts: BuildParts, key: string, stubs: readonly string[]): Promise<void> {
  await mounted(parts, key, { readonly: false }, async (root) => {
    for (const stub of stubs.toSorted((a, b) => b.length - a.length)) removeStub(root, stub);
    await Promise.resolve();
  });
}

function removeStub(root: string, stub: string): void {
  const place = resolveIn(root, stub);
  if (!place) return;
  const path = join(root, place.path);
  if (!place.isFolder) {
    if (lstatSync(path).size === 0) rmSync(path);
    return;
  }
  try {
    rmdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOTEMPTY') throw error;
  }
}
