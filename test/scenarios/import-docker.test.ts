import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { busyboxImage } from '../setup/images.ts';
import { answerOf, busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';

function docker(daemon: Daemon, ...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

async function importDocker(
  daemon: Daemon,
  ...args: string[]
): Promise<{ code: number | null; text: string }> {
  const { code, stdout, stderr } = await daemon.wharf(['system', 'import-docker', ...args]);
  return { code, text: stdout + stderr };
}

const inVolume = (name: string, script: string): string[] => [
  ...['run', '--rm', '-v', `${name}:/v`, 'busybox', 'sh', '-c', script],
];

test('import-docker takes images, names and volumes over from a running engine, and again finds all there', async () => {
  await using source = await startDaemon();
  await using target = await startDaemon();
  await docker(source, 'load', '-i', await busyboxArchive());
  await docker(source, 'tag', 'busybox', 'example.org/team/tool:7');
  await docker(source, 'volume', 'create', '--label', 'owner=me', 'data');
  const fill = 'cd /v; mkdir -m 700 d; echo text >d/f; chown 7:8 d/f; ln -s d/f s; ln d/f h; chmod 4711 d/f';
  await docker(source, ...inVolume('data', fill));
  await docker(source, 'volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'scratch');
  const before = await docker(source, 'ps', '-aq');

  const first = await importDocker(target, '--socket', source.host);
  assert.equal(first.code, 0, first.text);
  assert.match(first.text, /Images: 1 taken over\nVolumes: 2 taken over\n$/);
  const show = 'cd /v; stat -c "%a %u:%g %h" d d/f; readlink s; cat h';
  assert.equal(await docker(target, ...inVolume('data', show)), '700 0:0 2\n4711 7:8 2\nd/f\ntext');
  const format = ['image', 'inspect', '-f', '{{.Id}} {{.RepoTags}}', 'busybox'];
  assert.equal(await docker(target, ...format), await docker(source, ...format));
  assert.equal(
    await docker(target, 'volume', 'inspect', '-f', '{{.Labels}} {{.Options}}', 'data', 'scratch'),
    'map[owner:me] map[]\nmap[] map[device:tmpfs type:tmpfs]',
  );

  const again = await importDocker(target, '--socket', source.host);
  assert.match(again.text, /Images: 1 there already\nVolumes: 2 there already\n$/);
  for (const engine of [source, target]) {
    assert.equal(await docker(engine, 'ps', '-aq'), before, 'no helper stays');
    assert.doesNotMatch(await docker(engine, 'images'), /wharf-import/);
  }

  // A name that stands for something else here is not moved.
  await docker(target, 'rmi', 'example.org/team/tool:7');
  await docker(target, 'run', '--name', 'other', 'busybox', 'touch', '/x');
  await docker(target, 'commit', 'other', 'example.org/team/tool:7');
  const conflict = await importDocker(target, '--socket', source.host, '--no-volumes');
  assert.match(conflict.text, /has another example\.org\/team\/tool:7, which stays/);
});

test('import-docker goes on with a volume whose copy was cut off', async () => {
  await using source = await startDaemon();
  await using target = await startDaemon();
  await docker(source, 'load', '-i', await busyboxArchive());
  await docker(source, ...inVolume('data', 'echo whole >/v/file'));
  // What a killed import leaves: the volume with nothing in it, and the container that it was made with.
  await importDocker(target, '--socket', source.host, '--no-volumes');
  await docker(target, 'tag', 'busybox', 'wharf-import:helper');
  const helper = `wharf-import-${createHash('sha256').update('data').digest('hex').slice(0, 16)}`;
  await docker(target, 'create', '--name', helper, '-v', 'data:/volume', 'wharf-import:helper', 'x');
  const { code, text } = await importDocker(target, '--socket', source.host);
  assert.equal(code, 0, text);
  assert.match(text, /volume data: taken over/);
  assert.equal(await docker(target, ...inVolume('data', 'cat /v/file')), 'whole');
  assert.equal(await docker(target, 'ps', '-aq'), '');
});

/** Docker's way to keep a layer: tar-split.json.gz, and the files unpacked. */
async function storeLayer(tar: Buffer, files: string): Promise<Buffer> {
  const lines: string[] = [];
  let from = 0;
  const segment = (to: number): void => {
    if (to > from) lines.push(JSON.stringify({ type: 2, payload: tar.toString('base64', from, to) }));
    from = to;
  };
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const text = (offset: number, length: number): string =>
      tar.toString('latin1', at + offset, at + offset + length).replace(/\0.*$/s, '');
    const name = `${text(345, 155) ? `${text(345, 155)}/` : ''}${text(0, 100)}`;
    const size = Number.parseInt(text(124, 12), 8) || 0;
    const isFile = ['0', ''].includes(text(156, 1));
    at += 512;
    if (isFile) {
      segment(at);
      lines.push(JSON.stringify({ type: 1, name, ...(size > 0 && { size, payload: 'AAAAAAAAAAA=' }) }));
      if (size > 0) {
        await mkdir(dirname(join(files, name)), { recursive: true });
        await writeFile(join(files, name), tar.subarray(at, at + size));
      }
      from = at + size;
    }
    at += Math.ceil(size / 512) * 512;
  }
  segment(tar.length);
  return gzipSync(lines.map((line, position) => `${line.slice(0, -1)},"position":${position}}\n`).join(''));
}

test('import-docker reads the files of a stopped engine', async () => {
  const root = await mkdtemp(join(tmpdir(), 'wharf-docker-root-'));
  try {
    await using target = await startDaemon();
    const image = await busyboxImage();
    const [layer] = image.layers;
    assert.ok(layer);
    const store = join(root, 'image/overlay2');
    const chain = join(store, 'layerdb/sha256', layer.diffId.slice(7));
    await mkdir(chain, { recursive: true });
    await mkdir(join(store, 'imagedb/content/sha256'), { recursive: true });
    const files = join(root, 'overlay2/cafe/diff');
    await mkdir(files, { recursive: true });
    await writeFile(join(chain, 'tar-split.json.gz'), await storeLayer(await readFile(layer.path), files));
    await writeFile(join(chain, 'cache-id'), 'cafe');
    await writeFile(join(chain, 'size'), String(layer.size));
    const id = createHash('sha256').update(image.config).digest('hex');
    await writeFile(join(store, 'imagedb/content/sha256', id), image.config);
    const names = { busybox: { 'busybox:latest': `sha256:${id}`, 'busybox:9': `sha256:${id}` } };
    await writeFile(join(store, 'repositories.json'), JSON.stringify({ Repositories: names }));
    await mkdir(join(root, 'volumes/data/_data/sub'), { recursive: true });
    await writeFile(join(root, 'volumes/data/_data/sub/file'), 'kept\n', { mode: 0o640 });

    const { code, text } = await importDocker(target, '--data-root', root);
    assert.equal(code, 0, text);
    assert.match(text, /Images: 1 taken over\nVolumes: 1 taken over\n/);
    assert.equal(await docker(target, 'run', '--rm', 'busybox:9', 'echo', 'works'), 'works');
    const show = 'stat -c %a /v/sub/file; cat /v/sub/file';
    assert.equal(await docker(target, ...inVolume('data', show)), '640\nkept');
    assert.match((await importDocker(target, '--data-root', root)).text, /Images: 1 there already/);

    const refused = await importDocker(target, '--data-root', join(root, 'volumes'));
    assert.match(refused.text, /holds no images of Docker's drivers/);
  } finally {
    await rm(root, { recursive: true });
  }
});

const reference = join(
  process.env['WHARF_REFERENCE_STATE'] ?? join(tmpdir(), 'wharf-reference'),
  'docker.sock',
);
// Only where somebody has started it: tools/reference-engine.sh start.
if (existsSync(reference)) {
  test('import-docker takes over from an unmodified Docker engine', async () => {
    await using target = await startDaemon();
    const { code, text } = await importDocker(target, '--socket', reference);
    assert.equal(code, 0, text);
    const again = await importDocker(target, '--socket', reference);
    assert.doesNotMatch(again.text, /taken over|failed/);
  });
}
