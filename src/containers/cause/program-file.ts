import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '#kernel';
import { openUnder, oPath } from '#linux';
import { defaultSearchPath } from '../spec/default-paths.ts';
import type { StartProblem } from './run-facts.ts';

const headBytes = 4096;
const executable = 0o111;

/** ELF e_machine → the architecture's name as images have it. */
const machines: ReadonlyMap<number, string> = new Map([
  [3, '386'],
  [8, 'mips'],
  [21, 'ppc64le'],
  [22, 's390x'],
  [40, 'arm'],
  [62, 'amd64'],
  [183, 'arm64'],
  [243, 'riscv64'],
  [258, 'loong64'],
]);

const hostArchitecture = (arch: string): string =>
  arch === 'x64' ? 'amd64' : arch === 'ia32' ? '386' : arch;

/** A file inside a root, as far as a start depends on it; `undefined`: there is none. */
interface Found {
  readonly folder: boolean;
  readonly mode: number;
  readonly head: Buffer;
  readonly size: number;
}

/** Where a program is looked for. */
interface SearchPlace {
  readonly cwd: string;
  readonly env: readonly string[];
}

/** What keeps a program from running, by looking at its file in the mounted root; undefined: nothing that shows. */
export function examineProgram(root: string, program: string, where: SearchPlace): StartProblem | undefined {
  const fd = openSync(root, constants.O_DIRECTORY | oPath);
  try {
    for (const path of candidates(program, where)) {
      const file = find(fd, path);
      if (file) return examineFile(fd, path, file);
    }
    return { kind: 'program-missing', program };
  } finally {
    closeSync(fd);
  }
}

function candidates(program: string, where: SearchPlace): string[] {
  if (program.includes('/')) return [posix.resolve('/', where.cwd, program)];
  const path = where.env.findLast((entry) => entry.startsWith('PATH='))?.slice(5) ?? defaultSearchPath;
  return path.split(':').map((folder) => posix.resolve('/', where.cwd, folder, program));
}

function find(root: number, path: string): Found | undefined {
  let fd: number;
  try {
    fd = openUnder(root, path, { resolve: 'root', flags: constants.O_RDONLY | constants.O_NONBLOCK });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    const head = Buffer.alloc(stat.isFile() ? headBytes : 0);
    const length = head.length > 0 ? readSync(fd, head, 0, head.length, 0) : 0;
    return { folder: stat.isDirectory(), mode: stat.mode, head: head.subarray(0, length), size: stat.size };
  } finally {
    closeSync(fd);
  }
}

function examineFile(root: number, path: string, file: Found): StartProblem | undefined {
  const { folder, mode, head, size } = file;
  if (folder) return { kind: 'program-is-folder', program: path };
  if ((mode & executable) === 0) return { kind: 'not-executable', program: path, mode: mode & 0o7777 };
  if (head.subarray(0, 2).toString('latin1') === '#!') return examineScript(root, path, head);
  if (head.length >= 20 && head.readUInt32BE(0) === 0x7f454c46) return examineElf(root, path, head);
  return { kind: 'format', program: path, empty: size === 0 };
}

function examineScript(root: number, path: string, head: Buffer): StartProblem | undefined {
  const line = head.toString('latin1').split('\n', 1)[0] ?? '';
  const interpreter = /^#![ \t]*([^ \t]*)/.exec(line)?.[1] ?? '';
  const crlf = line.endsWith('\r');
  const bare = interpreter.replace(/\r$/, '');
  // `#!/usr/bin/env sh\r` looks for `sh\r`.
  const words = line
    .slice(2)
    .trim()
    .split(/[ \t]+/);
  const byEnv = crlf && posix.basename(bare) === 'env' && words.length > 1;
  const named = byEnv ? (words.at(-1) ?? bare) : bare;
  if (crlf) return { kind: 'interpreter-missing', program: path, interpreter: named, crlf };
  return find(root, interpreter)
    ? undefined
    : { kind: 'interpreter-missing', program: path, interpreter, crlf };
}

function examineElf(root: number, path: string, head: Buffer): StartProblem | undefined {
  const little = head[5] === 1;
  const u16 = (at: number): number => (little ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const found = machines.get(u16(18)) ?? `machine ${u16(18)}`;
  const host = hostArchitecture(process.arch);
  const runs =
    found === host || (host === 'amd64' && found === '386') || (host === 'arm64' && found === 'arm');
  if (!runs) return { kind: 'architecture', program: path, found, host };
  const loader = head[4] === 2 && little ? loaderOf(head) : undefined;
  return loader === undefined || find(root, loader)
    ? undefined
    : { kind: 'loader-missing', program: path, loader };
}

/** PT_INTERP of a 64-bit little-endian program, if its tables lie in the first page. */
function loaderOf(head: Buffer): string | undefined {
  if (head.length < 64) return undefined;
  const table = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index += 1) {
    const at = table + index * entrySize;
    if (at + 56 > head.length) return undefined;
    if (head.readUInt32LE(at) !== 3) continue;
    const offset = Number(head.readBigUInt64LE(at + 8));
    const size = Number(head.readBigUInt64LE(at + 32));
    return head
      .subarray(offset, offset + size)
      .toString('latin1')
      .replace(/\0.*$/s, '');
  }
  return undefined;
}
