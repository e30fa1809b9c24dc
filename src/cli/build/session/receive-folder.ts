import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  decodePacket,
  encodePacket,
  entryTypeOf,
  framed,
  permissionsOf,
  type FileStat,
  type Packet,
} from '#filesync';
import type { IncomingCall } from './incoming-call.ts';

/**
 * The receiving side of a transfer of files (fsutil): writes them into a folder, over what is there already. Everything
 * belongs to whoever runs the command.
 */
export async function receiveFolder(call: IncomingCall, root: string): Promise<void> {
  mkdirSync(root, { recursive: true });
  const receiver = new FolderReceiver(root);
  const send = (packet: Packet): Promise<void> => call.sendFramed(framed(encodePacket(packet)));
  try {
    for await (const message of call.messages()) {
      const packet = decodePacket(message);
      if (packet.type === 'end') break;
      const asked = receiver.take(packet);
      if (asked !== undefined) await send({ type: 'request', id: asked });
      if (receiver.isComplete()) await send({ type: 'end' });
    }
    receiver.finish();
  } finally {
    receiver.close();
  }
}

class FolderReceiver {
  readonly #root: string;
  readonly #stats: FileStat[] = [];
  /** Descriptors of the files on their way, by number. */
  readonly #open = new Map<number, number>();
  #isListed = false;
  #isEnded = false;

  constructor(root: string) {
    this.#root = root;
  }

  /** Takes a packet; answers with the number of a file to ask for. Throws ConnectError for what breaks the rules. */
  take(packet: Packet): number | undefined {
    if (packet.type === 'error') throw new ConnectError(packet.message, Code.Unknown);
    if (packet.type === 'data') this.#write(packet.id, packet.data);
    if (packet.type !== 'stat') return undefined;
    if (packet.stat) return this.#place(packet.stat);
    this.#isListed = true;
    return undefined;
  }

  /** True once, when nothing more has to come. */
  isComplete(): boolean {
    if (this.#isEnded || !this.#isListed || this.#open.size > 0) return false;
    this.#isEnded = true;
    return true;
  }

  /** Gives folders their modes and times, now that nothing is put into them any more. */
  finish(): void {
    if (!this.#isEnded) throw new ConnectError('the engine ended the transfer too early', Code.DataLoss);
    for (const stat of this.#stats.toReversed()) {
      if (entryTypeOf(stat.mode, stat.linkname) !== 'directory') continue;
      const path = join(this.#root, stat.path);
      chmodSync(path, permissionsOf(stat.mode));
      setTime(path, stat);
    }
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #place(stat: FileStat): number | undefined {
    const path = join(this.#root, checkedPath(stat.path));
    const id = this.#stats.push(stat) - 1;
    const type = entryTypeOf(stat.mode, stat.linkname);
    if (type === 'directory') {
      makeFolder(path);
      return undefined;
    }
    // What is there gives way, links above all: nothing is written through them.
    rmSync(path, { recursive: true, force: true });
    if (type === 'file') {
      this.#open.set(id, openSync(path, 'wx', 0o600));
      return id;
    }
    if (type === 'symlink') symlinkSync(stat.linkname, path);
    else if (type === 'hard-link') linkSync(join(this.#root, checkedPath(stat.linkname)), path);
    else
      throw new ConnectError(`cannot make ${stat.path}: it is no file, folder or link`, Code.Unimplemented);
    if (type === 'symlink') setTime(path, stat);
    return undefined;
  }

  #write(id: number, data: Uint8Array): void {
    const stat = this.#stats[id];
    const file = this.#open.get(id);
    if (!stat || file === undefined)
      throw new ConnectError(`nobody asked for file ${id}`, Code.InvalidArgument);
    for (let at = 0; at < data.length;) at += writeSync(file, data, at);
    if (data.length > 0) return;
    closeSync(file);
    this.#open.delete(id);
    const path = join(this.#root, stat.path);
    chmodSync(path, permissionsOf(stat.mode));
    setTime(path, stat);
  }
}

function makeFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) rmSync(path, { recursive: true });
  mkdirSync(path);
}

function checkedPath(path: string): string {
  const names = path.split('/');
  if (names.some((name) => ['', '.', '..'].includes(name)) || path.includes('\0')) {
    throw new ConnectError(
      `the engine sent a file with the path ${JSON.stringify(path)}`,
      Code.InvalidArgument,
    );
  }
  return path;
}

function setTime(path: string, { modTime }: FileStat): void {
  const seconds = Number(modTime / 1_000_000n) / 1000;
  lutimesSync(path, seconds, seconds);
}
