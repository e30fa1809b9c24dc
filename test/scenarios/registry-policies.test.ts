import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { digestOf, mediaTypes } from '#oci';
import { command, eventually, freePort, wharfProgram, type CommandResult } from '../setup/index.ts';

let folder: string;
let root: string;
let address: string;
let metrics: string;
let hook: number;
let registry: { readonly pid: number; kill(signal: 'TERM' | 'KILL' | 'HUP'): Promise<void> };
let log = '';

const config = (more = ''): Promise<void> =>
  writeFile(
    join(folder, 'registry.yaml'),
    `quotas: [{ repositories: [small/**], size: 10kB }]
retention: [{ repositories: [ci/**], keep: { last: 1, tags: [v*] } }]
webhooks: [{ url: 'http://127.0.0.1:${hook}/', name: receiver, secretFile: ${join(folder, 'secret')} }]
${more}`,
  );

/** `wharf registry serve`, as a user types it; signals go to the program that it runs. */
async function serve(): Promise<typeof registry> {
  const flags = ['--root', root, '--listen', address, '--metrics-addr', metrics, '--gc-grace', '0'];
  const args = ['registry', 'serve', ...flags, '--config', join(folder, 'registry.yaml')];
  // pdeathsig: it must not outlive a killed test.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'exit');
  await eventually(async () => (await fetch(`http://${address}/healthz`).catch(() => undefined))?.ok);
  const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  return {
    pid,
    async kill(signal) {
      process.kill(pid, `SIG${signal}`);
      if (signal !== 'HUP') await ended;
    },
  };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-registry-policies-'));
  root = join(folder, 'data');
  address = `127.0.0.1:${await freePort()}`;
  metrics = `127.0.0.1:${await freePort()}`;
  hook = await freePort();
  await writeFile(join(folder, 'secret'), 'key');
  await config();
  registry = await serve();
});

after(async () => {
  if (existsSync(`/proc/${registry.pid}`)) await registry.kill('TERM');
  await rm(folder, { recursive: true });
});

const wharf = (...args: readonly string[]): Promise<CommandResult> =>
  command(wharfProgram(), ['registry', ...args, '--root', root]);

async function pushBlob(repository: string, data: string): Promise<Response> {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digestOf(data)}`;
  return await fetch(`http://${address}${path}`, { method: 'POST', body: data });
}

async function push(repository: string, tag: string, layer = `layer of ${tag}`): Promise<void> {
  for (const data of ['{}', layer]) assert.equal((await pushBlob(repository, data)).status, 201);
  const descriptor = (mediaType: string, data: string): object => ({
    mediaType,
    digest: digestOf(data),
    size: data.length,
  });
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, '{}'),
    layers: [descriptor(mediaTypes.ociLayerGzip, layer)],
  });
  const answer = await fetch(`http://${address}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    body,
    headers: { 'Content-Type': mediaTypes.ociManifest, Authorization: 'Bearer never-written-down' },
  });
  assert.equal(answer.status, 201);
}

const tags = async (repository: string): Promise<unknown> =>
  ((await (await fetch(`http://${address}/v2/${repository}/tags/list`)).json()) as { tags: unknown }).tags;

test('what a push was acknowledged for is told, although the registry was killed in between', async () => {
  await push('ci/app', 'v1');
  await registry.kill('KILL');
  registry = await serve();
  await push('ci/app', 'one');
  const told: unknown[] = [];
  const receiver: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { events } = JSON.parse(body) as { events: readonly { target: { tag: string } }[] };
      told.push(...events.map(({ target }) => target.tag));
      response.end();
    });
  });
  receiver.listen(hook, '127.0.0.1');
  await eventually(() => told.length === 2);
  receiver.closeAllConnections();
  receiver.close();
  assert.deepEqual(told, ['v1', 'one']);
});

test('retention and gc say what they would do, and do it', async () => {
  await push('ci/app', 'two');
  await push('ci/app', 'three');
  await push('other', 'else');
  const dry = await wharf('retention', '--dry-run');
  assert.match(dry.stdout, /^REPOSITORY +TAG OR DIGEST +ACTION +WHY\n/);
  assert.match(dry.stdout, /ci\/app +two +remove +older than the newest 1, fits none of v\*\n/);
  assert.match(dry.stdout, /\nWould remove 2 tags and 2 manifests\n$/);
  assert.deepEqual(await tags('ci/app'), ['one', 'three', 'two', 'v1']);
  assert.match(
    (await wharf('gc', '--dry-run')).stdout,
    /Would remove 2 tags and 2 manifests, free \d+B in 4 blobs\n$/,
  );
  const done = await wharf('gc', '--format', 'json');
  const { collected } = JSON.parse(done.stdout) as { collected: object };
  assert.equal((collected as { blobs: number }).blobs, 4);
  assert.deepEqual(await tags('ci/app'), ['three', 'v1']);
  assert.deepEqual(await tags('other'), ['else']);
});

test('a full repository refuses, df shows it, and rules are read again', async () => {
  await push('small/app', 'v1');
  const refused = await pushBlob('small/app', 'x'.repeat(20_000));
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /"DENIED".*of 10kB are used, and this needs 20kB more/);
  assert.match((await wharf('df')).stdout, /^small\/app +1 +1 +\d+B +10kB \(\d+% used\)$/m);
  await config('readOnly: true');
  await registry.kill('HUP');
  await eventually(async () => (await pushBlob('small/app', 'y')).status === 405);
  await config('readonly: true');
  const wrong = await wharf('reload');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /registry\.yaml: readonly: there is no such setting/);
  await config();
  assert.equal((await wharf('reload')).code, 0);
  assert.equal((await pushBlob('small/app', 'y')).status, 201);
});

test('metrics and the log tell what happened, and no secrets', async () => {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /wharf_registry_retention_removed_total\{kind="tag"\} 2\n/);
  assert.match(text, /wharf_registry_quota_limit_bytes\{repository="small\/app"\} 10000\n/);
  assert.match(text, /process_resident_memory_bytes \d+/);
  assert.equal((await fetch(`http://${address}/metrics`)).status, 404);
  await fetch(`http://${address}/token?password=never-written-down`);
  await eventually(() => log.includes('"url":"/token?password=***"'));
  const lines = log.trim().split('\n');
  const put = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find(({ method, url }) => method === 'PUT' && url === '/v2/ci/app/manifests/one');
  assert.deepEqual([put?.['level'], put?.['status'], put?.['remote']], ['info', 201, '127.0.0.1']);
  assert.doesNotMatch(log, /never-written-down/);
});

test('a folder is served once, and the verbs say when it is not', async () => {
  const second = await wharf('serve', '--listen', '127.0.0.1:0');
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another wharf registry serves /);
  await registry.kill('TERM');
  const absent = await wharf('gc');
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /no registry serves .*: start it with wharf registry serve/);
});
