/** What an entry of a tree is. A hard link names an earlier file of the same tree. */
export type EntryType =
  'file' | 'hard-link' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character' | 'block';

/** Bits of Go's os.FileMode (package io/fs). */
const bits = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  namedPipe: 2 ** 25,
  socket: 2 ** 24,
  setUid: 2 ** 23,
  setGid: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

const has = (mode: number, bit: number): boolean => Math.floor(mode / bit) % 2 === 1;

/** A regular file with a name of another file is a hard link. */
export function entryTypeOf(mode: number, linkname: string): EntryType {
  if (has(mode, bits.directory)) return 'directory';
  if (has(mode, bits.symlink)) return 'symlink';
  if (has(mode, bits.namedPipe)) return 'fifo';
  if (has(mode, bits.socket)) return 'socket';
  if (has(mode, bits.device)) return has(mode, bits.characterDevice) ? 'character' : 'block';
  return linkname === '' ? 'file' : 'hard-link';
}

/** The permission bits as Unix counts them. */
export const permissionsOf = (mode: number): number =>
  (mode & 0o777) +
  (has(mode, bits.setUid) ? 0o4000 : 0) +
  (has(mode, bits.setGid) ? 0o2000 : 0) +
  (has(mode, bits.sticky) ? 0o1000 : 0);

const typeBits: Readonly<Record<EntryType, number>> = {
  file: 0,
  'hard-link': 0,
  directory: bits.directory,
  symlink: bits.symlink,
  fifo: bits.namedPipe,
  socket: bits.socket,
  character: bits.device + bits.characterDevice,
  block: bits.device,
};

/** Go's mode of an entry with these permission bits. */
export const goModeOf = (type: EntryType, permissions: number): number =>
  typeBits[type] +
  (permissions & 0o777) +
  (permissions & 0o4000 ? bits.setUid : 0) +
  (permissions & 0o2000 ? bits.setGid : 0) +
  (permissions & 0o1000 ? bits.sticky : 0);
