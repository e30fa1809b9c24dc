import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ClientSession } from '../server/client-session.ts';
import { FileSender, socketPair } from '../testing/file-sender.ts';
import { ContextStore } from './context-store.ts';
import type { ReceivedTree } from './received-tree.ts';
import type { Tree } from './tree.ts';

const path = '/moby.filesync.v1.FileSync/DiffCopy';

describe('ContextStore', () => {
  let folder: string;
  let client: string;
  let sender: FileSender;
  let session: ClientSession;
  let store: ContextStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wharf-test-context-'));
    client = join(folder, 'client');
    await mkdir(client);
    const [near, far] = await socketPair(join(folder, 'socket'));
    sender = new FileSender(client);
    sender.serve(far);
    const introduction = { id: 's', name: '', sharedKey: '', methods: new Set([path.toLowerCase()]) };
    session = new ClientSession(introduction, near);
    store = new ContextStore(join(folder, 'contexts'));
    await store.start();
  });

  afterEach(async () => {
    session[Symbol.dispose]();
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const received = (signal = new AbortController().signal): Promise<ReceivedTree> =>
    store.receive(session.openStream(path, { 'dir-name': 'context', followpaths: ['ä', 'b'] }), {
      key: 'k',
      signal,
    });
  const receive = async (signal?: AbortSignal): Promise<Tree> => (await received(signal)).open();

  it('receive() keeps contents, modes and links', async () => {
    await mkdir(join(client, 'src'));
    await writeFile(join(client, 'src/large'), Buffer.alloc(3_000_000, 'x'));
    await writeFile(join(client, 'run'), 'one');
    await chmod(join(client, 'run'), 0o4755);
    await symlink('../..', join(client, 'up'));
    const tree = await receive();
    assert.deepEqual([...tree.keys()], ['run', 'src', 'src/large', 'up']);
    const [run, large] = [tree.get('run'), tree.get('src/large')];
    assert.ok(run && large);
    assert.equal(run.mode, 0o4755);
    assert.equal(await readFile(store.path(run.digest), 'utf8'), 'one');
    assert.equal(large.size, 3_000_000);
    assert.equal((await readFile(store.path(large.digest))).length, 3_000_000);
    assert.deepEqual([tree.get('up')?.type, tree.get('up')?.linkname], ['symlink', '../..']);
    const [asked] = sender.asked;
    assert.deepEqual(
      ['dir-name', 'followpaths', 'followpaths-encoded'].map((name) => asked?.[name]),
      ['context', '%C3%A4, b', '1'],
    );
  });

  it('receive() asks again only for files that have changed', async () => {
    await writeFile(join(client, 'a'), 'one');
    await writeFile(join(client, 'b'), 'two');
    await receive();
    await writeFile(join(client, 'b'), 'new');
    const tree = await receive();
    assert.deepEqual(sender.sent.toSorted(), ['a', 'b', 'b']);
    assert.equal(await readFile(store.path(tree.get('b')?.digest ?? ''), 'utf8'), 'new');
    // A file that was lost here is sent again.
    await rm(store.path(tree.get('a')?.digest ?? ''));
    await receive();
    assert.deepEqual(sender.sent.slice(3), ['a']);
  });

  it('receive() knows a tree by everything in it but times', async () => {
    await writeFile(join(client, 'a'), 'one');
    const { digest } = await received();
    await utimes(join(client, 'a'), 1, 1);
    assert.equal((await received()).digest, digest);
    await chmod(join(client, 'a'), 0o600);
    assert.notEqual((await received()).digest, digest);
  });

  it('receive() rejects when the client goes away', async () => {
    await writeFile(join(client, 'a'), Buffer.alloc(20_000_000));
    const abort = new AbortController();
    const receiving = receive(abort.signal);
    session[Symbol.dispose]();
    await assert.rejects(receiving);
    assert.equal(abort.signal.aborted, false);
  });
});
