/** `manifest` and `search` do and say what the docker command line does and says, which is asked beside ours. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  LayoutBlobs,
  publishLayout,
  smallImage,
  startDaemon,
  startRegistry,
  type Client,
  type Daemon,
  type Registry,
} from '../setup/index.ts';

let daemon: Daemon;

before(async () => {
  daemon = await startDaemon();
});

after(async () => {
  await daemon[Symbol.asyncDispose]();
});

const first = smallImage([[{ name: 'a', content: 'a\n' }]], { settings: { Cmd: ['/a'] } });
const second = smallImage([[{ name: 'b', content: 'b\n' }]], { settings: { Cmd: ['/b'] } });

async function filledRegistry(): Promise<Registry> {
  const registry = await startRegistry();
  const docker = new LayoutBlobs();
  await publishLayout(registry.address, 'p/a', '1', docker, docker.manifest(first, { docker: true }));
  const oci = new LayoutBlobs();
  await publishLayout(registry.address, 'p/b', '1', oci, oci.manifest(second));
  return registry;
}

/** `R` is the registry. */
const steps = [
  'create --insecure R/lists/l:1 R/p/a:1 R/p/b:1',
  'create --insecure R/lists/l:1 R/p/a:1',
  'create --insecure --amend R/lists/l:1 R/p/a:1',
  'inspect --insecure R/lists/l:1',
  'annotate --arch arm64 --variant v8 --os linux --os-version 1.2 --os-features x,y R/lists/l:1 R/p/b:1',
  'annotate --arch nope R/lists/l:1 R/p/b:1',
  'annotate --arch arm64 R/lists/l:1 R/p/c:1',
  'annotate --arch arm64 R/lists/none:1 R/p/c:1',
  'inspect --insecure -v R/lists/l:1',
  'inspect --insecure R/lists/l:1 R/p/b:1',
  'inspect --insecure R/p/a:1',
  'inspect --insecure -v R/p/a:1',
  'inspect --insecure R/p/none:1',
  'inspect R/p/a:1',
  'push --insecure R/lists/l:1',
  'push --insecure R/lists/none:1',
  'rm R/lists/l:1',
  'rm R/lists/l:1 R/lists/none:1',
  'inspect --insecure R/lists/l:1',
  'inspect --insecure -v R/lists/l:1',
  'create --insecure R/lists/l:1 R/lists/l:1',
];

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command line says to each step, and what it keeps after the second one. */
async function play(run: Client): Promise<readonly unknown[]> {
  await using registry = await filledRegistry();
  const config = await mkdtemp(join(tmpdir(), 'wharf-manifests-'));
  const named = (text: string): string => text.replaceAll(registry.address, 'R').trimEnd();
  const said: unknown[] = [];
  try {
    for (const step of steps) {
      const args = step.split(' ').map((word) => word.replace(/^R\//, `${registry.address}/`));
      const { code, stdout, stderr }: Said = await run(['manifest', ...args], {
        env: { DOCKER_CONFIG: config },
      });
      said.push({ step, code, stdout: named(stdout), stderr: named(stderr) });
    }
    await run(['manifest', 'create', '--insecure', `${registry.address}/kept`, `${registry.address}/p/a:1`], {
      env: { DOCKER_CONFIG: config },
    });
    for (const list of await readdir(join(config, 'manifests'))) {
      for (const name of await readdir(join(config, 'manifests', list))) {
        const text = await readFile(join(config, 'manifests', list, name), 'utf8');
        const port = registry.address.replace(':', '-');
        said.push([list.replace(port, 'R'), name.replace(port, 'R'), JSON.parse(named(text))]);
      }
    }
  } finally {
    await rm(config, { recursive: true, force: true });
  }
  return said;
}

test('manifest lists are made, annotated, shown, pushed and forgotten as docker does', async () => {
  const [docker, wharf] = await Promise.all([play(daemon.docker), play(daemon.wharf)]);
  assert.deepEqual(wharf, docker);
});

test('search shows what the index of a registry has', async () => {
  const results = [
    { name: 'a/x', description: `An x ${'with many words '.repeat(5)}`, star_count: 3, is_official: true },
    { name: 'b/x', description: 'Another', star_count: 0, is_official: false },
  ];
  const index = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(request.url?.startsWith('/v1/search') ? JSON.stringify({ results }) : 'true');
  });
  await new Promise<void>((resolve) => index.listen(0, '127.0.0.1', resolve));
  const address = index.address();
  const host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  try {
    for (const args of [
      [`${host}/x`],
      ['--no-trunc', `${host}/x`],
      ['--filter', 'is-official=true', `${host}/x`],
      ['--filter', 'stars=1', '--format', '{{.Name}}: {{.StarCount}}', `${host}/x`],
      ['--limit', '200', `${host}/x`],
      ['--filter', 'nope=1', `${host}/x`],
    ]) {
      const [docker, wharf] = await Promise.all(
        [daemon.docker, daemon.wharf].map((run) => run(['search', ...args])),
      );
      assert.deepEqual(
        [wharf?.code, wharf?.stdout, wharf?.stderr],
        [docker?.code, docker?.stdout, docker?.stderr],
      );
    }
  } finally {
    index.close();
  }
});
