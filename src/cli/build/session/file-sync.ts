import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { messageOf } from '#kernel';
import { decodePacket, encodePacket, framed, type FileStat, type Packet } from '#filesync';
import { FolderFilter } from './folder-filter.ts';
import { walkFolder } from './folder-walk.ts';
import { followedPaths } from './followed-paths.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { SessionService } from './session-service.ts';

/** Milliseconds that an engine that has everything may take to say so. */
const patience = 1_000;

/** Bytes that are written at once, and of one piece of a file. */
const batch = 256 * 1024;

/** A folder that builds may take files from. */
export interface SharedFolder {
  readonly path: string;
  /** Patterns of what nobody gets of it, beyond what the engine leaves out. */
  readonly hidden?: readonly string[];
  /** Told of everything that the engine hears of. */
  readonly listed?: (stat: FileStat) => void;
}

/** Serves folders by the names that the Dockerfile frontend knows them by: `context`, `dockerfile`, named contexts. */
export const fileSync = (folders: ReadonlyMap<string, SharedFolder>): SessionService => ({
  '/moby.filesync.v1.FileSync/DiffCopy': async (call) => {
    const name = call.value('dir-name') ?? '';
    const folder = folders.get(name);
    if (!folder)
      throw new ConnectError(`no access allowed to dir ${JSON.stringify(name)}`, Code.PermissionDenied);
    await new FolderSender(call, folder).run();
  },
});

/**
 * The sending side of a transfer of files (fsutil): stats in walk order, an empty one at their end; contents by the
 * number of their stat as the engine asks for them.
 */
class FolderSender {
  readonly #call: IncomingCall;
  readonly #root: string;
  readonly #folder: SharedFolder;
  readonly #paths: string[] = [];
  /** Numbers that were asked for, and how many of them have been dealt with. */
  readonly #wanted: number[] = [];
  #taken = 0;
  #isSending = false;
  #sending: Promise<void> = Promise.resolve();
  #frames: Uint8Array[] = [];
  #size = 0;
  /** What is read passes through here: what is sent is a copy. */
  readonly #piece = Buffer.allocUnsafe(batch);

  constructor(call: IncomingCall, folder: SharedFolder) {
    this.#call = call;
    this.#folder = folder;
    this.#root = folder.path;
  }

  async run(): Promise<void> {
    const listed = this.#list();
    // Its failure is told to the engine, which then ends the call.
    listed.catch(() => undefined);
    for await (const message of this.#call.messages()) {
      const packet = decodePacket(message);
      if (packet.type === 'error') throw new ConnectError(packet.message, Code.Unknown);
      if (packet.type === 'end') {
        await this.#sending;
        await this.#call.sendFramed(framed(encodePacket({ type: 'end' })));
        // The engine ends its side now; ended before that, the call would look broken to it.
        setTimeout(() => this.#call.end(), patience).unref();
      }
      if (packet.type !== 'request') continue;
      this.#wanted.push(packet.id);
      if (!this.#isSending) this.#sending = this.#sendWanted();
    }
    await listed;
  }

  async #list(): Promise<void> {
    const values = (name: string): readonly string[] => this.#call.metadata.get(name) ?? [];
    try {
      const followed = followedPaths(this.#root, values('followpaths'));
      const filter = new FolderFilter({
        include: [...values('include-patterns'), ...followed],
        exclude: values('exclude-patterns'),
        hidden: this.#folder.hidden ?? [],
      });
      for (const stat of walkFolder(this.#root, filter)) {
        this.#paths.push(stat.path);
        this.#folder.listed?.(stat);
        if (this.#add({ type: 'stat', stat })) await this.#flush();
      }
      this.#add({ type: 'stat', stat: undefined });
      await this.#flush();
    } catch (error) {
      await this.#refuse(error);
      throw error;
    }
  }

  /** Sends what is asked for, until there is nothing left; meanwhile more is asked for, which goes out together. */
  async #sendWanted(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#taken < this.#wanted.length) {
        for (let id = this.#wanted[this.#taken]; id !== undefined; id = this.#wanted[this.#taken]) {
          this.#taken += 1;
          await this.#sendFile(id);
        }
        await this.#flush();
      }
    } catch (error) {
      await this.#refuse(error);
    } finally {
      this.#isSending = false;
    }
  }

  async #sendFile(id: number): Promise<void> {
    const path = this.#paths[id];
    if (path === undefined) throw new Error(`the engine asked for a file that was not offered (${id})`);
    const file = openSync(join(this.#root, path), 'r');
    try {
      for (;;) {
        const count = readSync(file, this.#piece, 0, batch, null);
        if (count === 0) break;
        const data = this.#piece.subarray(0, count);
        if (this.#add({ type: 'data', id, data })) await this.#flush();
      }
    } finally {
      closeSync(file);
    }
    this.#add({ type: 'data', id, data: new Uint8Array() });
  }

  /** True: enough has come together to be sent. */
  #add(packet: Packet): boolean {
    const frame = framed(encodePacket(packet));
    this.#frames.push(frame);
    this.#size += frame.length;
    return this.#size >= batch;
  }

  async #flush(): Promise<void> {
    const frames = Buffer.concat(this.#frames);
    this.#frames = [];
    this.#size = 0;
    if (frames.length > 0) await this.#call.sendFramed(frames);
  }

  async #refuse(error: unknown): Promise<void> {
    this.#add({ type: 'error', message: messageOf(error) });
    await this.#flush().catch(() => undefined);
  }
}
