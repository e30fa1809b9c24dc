import { statfs } from 'node:fs/promises';
import { errnoOf, messageOf } from '#kernel';
import { sizeInWords } from '../configuration/units.ts';
import { json, type TextAnswer } from '../answer.ts';

/** Below so many bytes pushes are about to fail. */
const scarce = 100_000_000;

export interface HealthParts {
  readonly root: string;
  readonly readOnly: boolean;
  /** Throws when the records cannot be read. */
  readonly probe: () => void;
}

/** Whether a write failed since there is no room: ENOSPC, a quota of the file system, SQLITE_FULL. */
export const isDiskFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '') ||
  (error instanceof Error && (('errcode' in error && error.errcode === 13) || isDiskFull(error.cause)));

/** Bytes free for this program on the file system of a folder. */
export async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * GET /healthz: 503 when pulls or pushes fail that are meant to succeed. Being read-only by order is no illness.
 */
export async function health({ root, readOnly, probe }: HealthParts): Promise<TextAnswer> {
  const problems: string[] = [];
  let free: number | undefined;
  try {
    probe();
    free = await freeSpace(root);
    if (free < scarce) problems.push(`the disk is full: ${sizeInWords(free)} are left`);
  } catch (error) {
    problems.push(`the registry's folder cannot be read: ${messageOf(error)}`);
  }
  const isWell = problems.length === 0 || (readOnly && free !== undefined);
  const body = { status: isWell ? 'ok' : 'failing', readOnly, problems, freeBytes: free };
  return { ...json(body, { 'Cache-Control': 'no-store' }), status: isWell ? 200 : 503 };
}
