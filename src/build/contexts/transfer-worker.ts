import { readFileSync, renameSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { parentPort, threadId } from 'node:worker_threads';
import { createHash } from 'node:crypto';
import { EngineError, invalidArgument } from '#kernel';
import { framed, MessageBuffer, decodePacket, encodePacket } from '#filesync';
import { FileStore } from './file-store.ts';
import { readFileTree, readFolderTree } from './folder-tree.ts';
import { ByteQueue, readTarTree } from './tar-tree.ts';
import { TreeReceiver } from './tree-receiver.ts';
import type { TransferAnswer, TransferRequest } from './transfer-messages.ts';
import type { Tree } from './tree.ts';
import { digestOfTree } from './tree-digest.ts';

/** The thread that takes contexts apart: unframing, hashing and writing files, so that the engine's loop only passes bytes on. */

interface Transfer {
  readonly receiver: TreeReceiver;
  readonly buffer: MessageBuffer;
  readonly treeFile: string;
  frames: Uint8Array[];
}

const transfers = new Map<number, Transfer>();
const archives = new Map<number, ByteQueue>();

const answer = (message: TransferAnswer, transferred: ArrayBuffer[] = []): void => {
  parentPort?.postMessage(message, transferred);
};

const treeFileOf = (root: string, key: string): string =>
  join(root, 'trees', createHash('sha256').update(key).digest('hex'));

function begin(transfer: number, root: string, key: string): void {
  const treeFile = treeFileOf(root, key);
  const started: Transfer = {
    receiver: new TreeReceiver({
      store: new FileStore(join(root, 'files'), `${threadId}-${transfer}`),
      previous: readTree(treeFile),
      send: (packet) => started.frames.push(framed(encodePacket(packet))),
    }),
    buffer: new MessageBuffer(),
    treeFile,
    frames: [],
  };
  transfers.set(transfer, started);
}

function take(transfer: number, bytes: Uint8Array): void {
  const running = transfers.get(transfer);
  if (!running) return;
  running.buffer.push(bytes);
  let isDone = false;
  for (let message = running.buffer.next(); message; message = running.buffer.next()) {
    isDone = running.receiver.take(decodePacket(message)) || isDone;
  }
  const frames = running.frames.length > 0 ? Buffer.concat(running.frames) : undefined;
  running.frames = [];
  const { received } = running.receiver;
  answer({ kind: 'progress', transfer, frames, consumed: bytes.length, received });
  if (!isDone) return;
  transfers.delete(transfer);
  const tree = running.receiver.tree();
  const serialized = serialize(tree);
  keepTree(running.treeFile, transfer, serialized);
  done(transfer, tree, serialized);
}

function done(transfer: number, tree: Tree, serialized = serialize(tree)): void {
  const bytes = new Uint8Array(serialized);
  answer({ kind: 'done', transfer, tree: bytes, digest: digestOfTree(tree) }, [bytes.buffer]);
}

function keepTree(treeFile: string, transfer: number, tree: Uint8Array): void {
  mkdirSync(dirname(treeFile), { recursive: true });
  const next = `${treeFile}.${threadId}-${transfer}`;
  writeFileSync(next, tree);
  renameSync(next, treeFile);
}

/** A kept tree; an empty one if the contents of some file are gone. */
function wholeTree(path: string, store: FileStore): Tree {
  const tree = readTree(path);
  const isGone = [...tree.values()].some(({ type, digest }) => type === 'file' && !store.has(digest));
  return isGone ? new Map() : tree;
}

/** A tree that is missing or unreadable is an empty one: everything is sent again. */
function readTree(path: string): Tree {
  try {
    // Written by take() above.
    return deserialize(readFileSync(path)) as Tree;
  } catch {
    return new Map();
  }
}

/** Takes bytes as they come and makes a tree of them. */
function beginBytes(
  transfer: number,
  root: string,
  read: (bytes: ByteQueue, store: FileStore) => Promise<Tree>,
): void {
  let received = 0;
  const bytes = new ByteQueue((consumed) => {
    received += consumed;
    answer({ kind: 'progress', transfer, frames: undefined, consumed, received });
  });
  archives.set(transfer, bytes);
  make(transfer, root, async (store) => read(bytes, store));
}

function make(transfer: number, root: string, tree: (store: FileStore) => Promise<Tree>): void {
  tree(new FileStore(join(root, 'files'), `${threadId}-${transfer}`))
    .then((made) => done(transfer, made))
    .catch((error: unknown) => failed(transfer, error))
    .finally(() => archives.delete(transfer));
}

function handle(request: TransferRequest): void {
  const { transfer } = request;
  try {
    if (request.kind === 'begin') begin(transfer, request.root, request.key);
    else if (request.kind === 'begin-tar') beginBytes(transfer, request.root, readTarTree);
    else if (request.kind === 'begin-file') {
      beginBytes(transfer, request.root, async (bytes, store) => readFileTree(bytes, request.file, store));
    } else if (request.kind === 'folder') {
      make(transfer, request.root, async (store) => {
        const tree = await readFolderTree(request.path, store);
        keepTree(treeFileOf(request.root, request.key), transfer, serialize(tree));
        return tree;
      });
    } else if (request.kind === 'recall') {
      make(transfer, request.root, (store) =>
        Promise.resolve(wholeTree(treeFileOf(request.root, request.key), store)),
      );
    } else if (request.kind === 'bytes') bytesFor(transfer, request.bytes);
    else if (request.kind === 'end') end(transfer);
    else cancel(transfer);
  } catch (error) {
    cancel(transfer);
    failed(transfer, error);
  }
}

function failed(transfer: number, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  answer({ kind: 'failed', transfer, message, invalid: error instanceof EngineError });
}

function bytesFor(transfer: number, bytes: Uint8Array): void {
  const archive = archives.get(transfer);
  if (archive) archive.push(bytes);
  else take(transfer, bytes);
}

function end(transfer: number): void {
  archives.get(transfer)?.end();
  if (transfers.has(transfer)) throw invalidArgument('the client ended the transfer of files too early');
}

function cancel(transfer: number): void {
  archives.get(transfer)?.fail(new Error('the transfer was given up'));
  transfers.get(transfer)?.receiver.discard();
  transfers.delete(transfer);
}

parentPort?.on('message', (request: TransferRequest) => handle(request));
