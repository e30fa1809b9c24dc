import { parentPort } from 'node:worker_threads';
import { EngineError, invalidArgument } from '#kernel';
import { framed, MessageBuffer, decodePacket, encodePacket } from '#filesync';
import { FileStore } from './file-store.ts';
import { readFileTree, readFolderTree } from './folder-tree.ts';
import { keepTree, packTree, readKept, treeFileOf, type PackedTree } from './kept-tree.ts';
import { ByteQueue, readTarTree } from './tar-tree.ts';
import { TreeReceiver } from './tree-receiver.ts';
import type { TransferAnswer, TransferRequest } from './transfer-messages.ts';
import type { Tree } from './tree.ts';

/** The thread that takes contexts apart: unframing, hashing and writing files, so that the engine's loop only passes bytes on. */

interface Transfer {
  readonly receiver: TreeReceiver;
  readonly store: FileStore;
  readonly buffer: MessageBuffer;
  readonly treeFile: string;
  readonly previous: PackedTree;
  frames: Uint8Array[];
}

const transfers = new Map<number, Transfer>();
const archives = new Map<number, ByteQueue>();

const answer = (message: TransferAnswer, transferred: ArrayBuffer[] = []): void => {
  parentPort?.postMessage(message, transferred);
};

function begin(transfer: number, root: string, key: string): void {
  const treeFile = treeFileOf(root, key);
  const store = new FileStore(root);
  const previous = readKept(treeFile);
  const started: Transfer = {
    ...{ store, treeFile, previous, buffer: new MessageBuffer(), frames: [] },
    receiver: new TreeReceiver({
      ...{ store, previous: previous.tree },
      send: (packet) => started.frames.push(framed(encodePacket(packet))),
    }),
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
  done(transfer, complete(running));
  transfers.delete(transfer);
}

/** What came, kept for the next time. */
function complete({ receiver, store, treeFile, previous }: Transfer): PackedTree {
  if (receiver.isUnchanged) return previous;
  const packed = packTree(receiver.tree());
  store.commit();
  keepTree(treeFile, packed);
  return packed;
}

function done(transfer: number, { bytes, digest }: PackedTree): void {
  const tree = new Uint8Array(bytes);
  answer({ kind: 'done', transfer, tree, digest }, [tree.buffer]);
}

/** A kept tree; an empty one if the contents of some file are gone. */
function wholeTree(path: string, store: FileStore): Tree {
  const { tree } = readKept(path);
  const isGone = [...tree.values()].some(({ stored }) => stored && !store.has(stored));
  return isGone ? new Map() : tree;
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

/** `key`: under which the tree is kept, if it is. */
function make(transfer: number, root: string, tree: (store: FileStore) => Promise<Tree>, key?: string): void {
  const store = new FileStore(root);
  tree(store)
    .then((made) => {
      const packed = packTree(made);
      store.commit();
      if (key !== undefined) keepTree(treeFileOf(root, key), packed);
      done(transfer, packed);
    })
    .catch((error: unknown) => {
      store.discard();
      failed(transfer, error);
    })
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
      make(transfer, request.root, async (store) => readFolderTree(request.path, store), request.key);
    } else if (request.kind === 'recall') {
      const treeFile = treeFileOf(request.root, request.key);
      make(transfer, request.root, (store) => Promise.resolve(wholeTree(treeFile, store)));
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
  const running = transfers.get(transfer);
  running?.receiver.discard();
  running?.store.discard();
  transfers.delete(transfer);
}

parentPort?.on('message', (request: TransferRequest) => handle(request));
