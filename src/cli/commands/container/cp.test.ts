import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTar, tarHeader, writeTar } from '#archive';
import type { NewTarEntry } from '#archive';
import type { FakeEngine } from '../../testing/fake-engine.ts';
import { startFakeEngine } from '../../testing/fake-engine.ts';
import { run } from '../../testing/run-program.ts';

const folderMode = 2 ** 31 + 0o755;

const statHeader = (mode: number, name: string): string =>
  Buffer.from(
    JSON.stringify({ name, size: 1, mode, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }),
  ).toString('base64');

function serveArchive(engine: FakeEngine, mode: number, entries: readonly NewTarEntry[]): void {
  engine.answer('GET /containers/web/archive', (request, response) => {
    response.setHeader('X-Docker-Container-Path-Stat', statHeader(mode, request.query['path'] ?? ''));
    response.setHeader('Content-Type', 'application/x-tar');
    void (async () => {
      for await (const chunk of writeTar(entries)) response.write(chunk);
      response.end();
    })();
  });
}

const file = (name: string, text: string): NewTarEntry => ({
  header: tarHeader({ name, size: Buffer.byteLength(text) }),
  content: Buffer.from(text),
});
const folder = (name: string): NewTarEntry => ({ header: tarHeader({ name: `${name}/`, type: 'folder' }) });
const link = (name: string, linkName: string): NewTarEntry => ({
  header: tarHeader({ name, type: 'symlink', linkName }),
});

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'cp-'));
  try {
    await work(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

test('cp copies a folder out under its own or a new name', async () => {
  await using engine = await startFakeEngine();
  serveArchive(engine, folderMode, [
    folder('data'),
    file('data/f', 'text'),
    link('data/l', 'f'),
    folder('data/sub'),
  ]);
  await inFolder(async (path) => {
    const copy = (target: string): Promise<{ code: number; err: string }> =>
      run(['cp', 'web:/srv/data', target], { host: engine.host });
    assert.equal((await copy(path)).code, 0);
    assert.deepEqual(readdirSync(join(path, 'data')).sort(), ['f', 'l', 'sub']);
    assert.equal((await copy(join(path, 'new'))).code, 0);
    assert.equal(readFileSync(join(path, 'new', 'l'), 'utf8'), 'text');
    const missing = await copy(join(path, 'no', 'where'));
    assert.equal(missing.code, 1);
    assert.match(missing.err, /invalid output path: directory ".*no" does not exist/);
  });
});

const evil: readonly (readonly [string, readonly NewTarEntry[]])[] = [
  ['a name that climbs out', [folder('data'), file('data/../../evil', 'x')]],
  [
    'a link that is then walked through',
    [folder('data'), link('data/out', '/'), file('data/out/tmp/evil-cp-test', 'x')],
  ],
];

test('cp does not unpack what would leave the destination', async () => {
  for (const [what, entries] of evil) {
    await using engine = await startFakeEngine();
    serveArchive(engine, folderMode, entries);
    await inFolder(async (path) => {
      const target = join(path, 'a');
      mkdirSync(target);
      const result = await run(['cp', 'web:/data', target], { host: engine.host });
      assert.equal(result.code, 1, what);
      assert.match(result.err, /refusing to unpack/);
      assert.ok(!existsSync(join(path, 'evil')) && !existsSync('/tmp/evil-cp-test'));
    });
  }
});

test('cp sends a folder with the name that it shall have', async () => {
  await using engine = await startFakeEngine();
  engine.answer('HEAD /containers/web/archive', (_, response) => response.writeHead(404).end());
  const names: string[] = [];
  engine.answer('PUT /containers/web/archive', (request, response) => {
    assert.equal(request.query['path'], '/srv');
    assert.equal(request.query['noOverwriteDirNonDir'], 'true');
    void (async () => {
      const body = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        await Promise.resolve();
        yield Buffer.from(request.body, 'latin1');
      };
      for await (const { header } of readTar(body())) names.push(`${header.type} ${header.name}`);
      response.end();
    })();
  });
  await inFolder(async (path) => {
    mkdirSync(join(path, 'd', 'e'), { recursive: true });
    writeFileSync(join(path, 'd', 'f'), 'abc');
    symlinkSync('f', join(path, 'd', 'l'));
    const result = await run(['cp', join(path, 'd'), 'web:/srv/new'], { host: engine.host });
    assert.equal(result.err, '');
    assert.deepEqual(names, ['folder new/', 'folder new/e/', 'file new/f', 'symlink new/l']);
  });
});

test('cp passes an archive through to standard output', async () => {
  await using engine = await startFakeEngine();
  engine.answer('GET /containers/web/archive', (_, response) => response.end('tar bytes'));
  assert.deepEqual(await run(['cp', 'web:/x', '-'], { host: engine.host }), {
    code: 0,
    out: 'tar bytes',
    err: '',
  });
});
