import { existsSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { errnoOf } from '#kernel';
import {
  compressedIdentity,
  compressedPath,
  identityOf,
  identityOfOpen,
  inflateLog,
} from './compressed-log.ts';
import { rotatedPath } from './log-file.ts';

const ATTEMPTS = 10;

/** One of a log's files, open, whatever happens to its name. */
export class LogVersion {
  /** See identityOf(). */
  readonly identity: string;
  readonly #path: string;
  readonly #compressed: boolean;
  #handle: FileHandle;
  #inflated = false;

  constructor(handle: FileHandle, identity: string, path: string, compressed: boolean) {
    this.#handle = handle;
    this.identity = identity;
    this.#path = path;
    this.#compressed = compressed;
  }

  /** The file's records, uncompressed. Closed with the version. */
  async content(): Promise<FileHandle> {
    if (this.#compressed && !this.#inflated) {
      const inflated = await inflateLog(this.#handle, this.#path);
      await this.#handle.close();
      this.#handle = inflated;
      this.#inflated = true;
    }
    return this.#handle;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Opens a log's files, oldest first, as one moment had them although their writer may rotate meanwhile. */
export async function openLogFiles(path: string): Promise<LogVersion[]> {
  let versions = await openOnce(path);
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    // A rotation under way could hide a file from one look, not the same one from two.
    const again = await openOnce(path);
    await closeAll(versions);
    const steady =
      again.length === versions.length &&
      again.every(({ identity }, index) => identity === versions[index]?.identity) &&
      new Set(again.map(({ identity }) => identity)).size === again.length;
    versions = again;
    if (steady) break;
  }
  return versions;
}

async function openOnce(path: string): Promise<LogVersion[]> {
  const versions: LogVersion[] = [];
  try {
    for (let age = oldestAge(path); age >= 0; age -= 1) {
      const version = await openVersion(path, age);
      if (version) versions.push(version);
    }
    return versions;
  } catch (error) {
    await closeAll(versions);
    throw error;
  }
}

/**
 * The file that follows the one of this identity; the oldest one when that is gone; undefined while it is the newest.
 * The caller closes it.
 */
export async function openSuccessor(path: string, identity: string): Promise<LogVersion | undefined> {
  if ((await newestIdentity(path)) === identity) return undefined;
  const versions = await openLogFiles(path);
  const at = versions.findIndex((version) => version.identity === identity);
  const [next] = versions.splice(at + 1, 1);
  await closeAll(versions);
  return next;
}

export async function closeAll(versions: readonly LogVersion[]): Promise<void> {
  await Promise.all(versions.map((version) => version.close()));
}

export const rotationExists = (path: string, age: number): boolean =>
  existsSync(rotatedPath(path, age)) || existsSync(compressedPath(rotatedPath(path, age)));

function oldestAge(path: string): number {
  let age = 0;
  while (rotationExists(path, age + 1)) age += 1;
  return age;
}

async function openVersion(path: string, age: number): Promise<LogVersion | undefined> {
  const name = rotatedPath(path, age);
  const plain = await openIfThere(name);
  if (plain) return new LogVersion(plain, await identityOfOpen(plain), path, false);
  const compressed = age > 0 ? await openIfThere(compressedPath(name)) : undefined;
  return compressed && new LogVersion(compressed, await compressedIdentity(compressed), path, true);
}

async function newestIdentity(path: string): Promise<string | undefined> {
  try {
    return identityOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
