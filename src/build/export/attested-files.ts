import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDigest } from '#oci';
import type { Subject } from '../attest/attestation.ts';
import type { BuiltPlatform } from './built-platform.ts';
import type { Built } from './exporter.ts';

/** How the files of statements are named among those of the output. */
export interface AttestedFilesOptions {
  /** BuildKit's `attestation-prefix`. */
  readonly prefix: string;
  /** Several platforms share one folder: then each file is named after its own, too. */
  readonly isShared: boolean;
  /** Seconds. */
  readonly epoch: number | undefined;
}

/** Puts the statements about a file system at its top, each a file. They are about every file in it. */
export async function placeStatements(
  { attestor, parts, signal }: Built,
  built: BuiltPlatform,
  root: string,
  options: AttestedFilesOptions & { readonly folder: string },
): Promise<void> {
  const subjects = await subjectsUnder(parts.archiver, root, signal);
  for (const [name, text] of attestor?.files(built, subjects) ?? []) {
    const [, stem = '', extension = ''] = /^([^.]*)(.*)$/.exec(name) ?? [];
    const shown = options.isShared ? `${stem}.${options.folder}${extension}` : name;
    const path = join(root, `${options.prefix}${shown}`.replaceAll('/', '_'));
    await rm(path, { recursive: true, force: true });
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    if (options.epoch !== undefined) await utimes(path, options.epoch, options.epoch);
  }
}

async function subjectsUnder(
  archiver: Built['parts']['archiver'],
  root: string,
  signal: AbortSignal,
): Promise<readonly Subject[]> {
  const entries = await archiver.listTree({ root, digests: true, signal });
  return entries.flatMap(({ header, sha256 }) =>
    sha256 === undefined ? [] : [{ name: header.name, digest: parseDigest(`sha256:${sha256}`) }],
  );
}
