import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ClientSession } from '../server/client-session.ts';
import { FileSender, socketPair } from '../testing/file-sender.ts';
import { rangeOf, readRange } from '../files/file-range.ts';
import { ContextStore } from './context-store.ts';
import type { ReceivedTree } from './received-tree.ts';
import type { Tree, TreeEntry } from './tree.ts';

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

  const contentsOf = async (entry: TreeEntry | undefined): Promise<string> => {
    assert.ok(entry?.stored);
    return (await readRange(rangeOf(entry.stored, entry.size, store.files))).toString();
  };

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
    assert.equal(await contentsOf(run), 'one');
    assert.equal(large.size, 3_000_000);
    assert.equal((await contentsOf(large)).length, 3_000_000);
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
    assert.equal(await contentsOf(tree.get('b')), 'new');
    // What was lost here is sent again.
    await rm(join(store.files, tree.get('a')?.stored?.file ?? ''));
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

  it('receive() answers the same tree again where nothing has changed, and the one of now where only times have', async () => {
    await mkdir(join(client, 'src'));
    await writeFile(join(client, 'src/a'), 'one');
    const first = await receive();
    assert.deepEqual(await receive(), first);
    await utimes(join(client, 'src/a'), 1, 1);
    assert.equal((await receive()).get('src/a')?.modTime, 1_000_000_000n);
    await rm(join(client, 'src/a'));
    assert.deepEqual([...(await receive()).keys()], ['src']);
  });

  it('start() removes what no transfer has completed, and find() knows what one has', async () => {
    await writeFile(join(client, 'a'), 'one');
    const file = (await receive()).get('a');
    await writeFile(join(store.files, 'half'), 'written');
    await store.start();
    assert.deepEqual(await readdir(store.files), [file?.stored?.file]);
    assert.deepEqual(store.find(file?.digest ?? '')?.stored, file?.stored);
    assert.equal(store.find('00'.repeat(32)), undefined);
    await store.clear();
    assert.equal(store.find(file?.digest ?? ''), undefined);
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
