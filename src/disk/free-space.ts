import { statfsSync } from 'node:fs';
import { invalidArgument } from '#kernel';
import type { FreeSpace } from './disk.ts';

/** How much shall stay free: a share of the file system, or bytes. */
export type Amount = { readonly percent: number; readonly most?: number } | { readonly bytes: number };

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** `10%`, `20GB`, `512m`, `0`. Throws invalidArgument. */
export function parseAmount(text: string): Amount {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (share && Number(share[1]) <= 100) return { percent: Number(share[1]) };
  const size = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(text);
  if (!size) throw invalidArgument(`invalid amount of disk space ${JSON.stringify(text)}: use 10% or 20GB`);
  return { bytes: Math.round(Number(size[1]) * (units[(size[2] ?? '').toLowerCase()] ?? 1)) };
}

const bytesOf = (amount: Amount, total: number): number =>
  'bytes' in amount ? amount.bytes : Math.min((total * amount.percent) / 100, amount.most ?? Infinity);

/** The file system under a folder, against what shall stay free there. */
export function readFreeSpace(
  folder: string,
  marks: { readonly low: Amount; readonly high: Amount },
): FreeSpace {
  const { blocks, bavail, bsize } = statfsSync(folder);
  const total = blocks * bsize;
  const low = Math.round(bytesOf(marks.low, total));
  const high = Math.max(low, Math.round(bytesOf(marks.high, total)));
  return { total, free: bavail * bsize, low, high: low === 0 ? 0 : high };
}
