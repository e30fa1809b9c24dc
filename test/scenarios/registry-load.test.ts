import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, freePort, wharfProgram } from '../setup/index.ts';

/** The full size: 200 pulls and 50 pushes at once, of layers of so many MiB (WHARF_LOAD=200,50,2). */
const [pulls = 40, pushes = 10, mebibytes = 2] = (process.env['WHARF_LOAD'] ?? '')
  .split(',')
  .flatMap((text) => (text === '' ? [] : [Number(text)]));
const layers = 4;
const layerSize = mebibytes << 20;
/** bytes */
const mostMemory = 300 << 20;

let folder: string;
let base: string;
let server: ChildProcess;
let logged: string;
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-load-'));
  const address = `127.0.0.1:${await freePort()}`;
  base = `http://${address}`;
  // A collection every fifth of a second, while everything else goes on.
  const gc = ['--gc-interval', '0.0033', '--gc-grace', '60', '--log-level', 'warn'];
  const args = ['registry', 'serve', '--root', join(folder, 'data'), '--listen', address, ...gc];
  server = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  logged = '';
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (text) => (logged += String(text)));
  await eventually(async () => (await fetch(`${base}/v2/`).catch(() => undefined)) !== undefined);
});

after(async () => {
  agent.destroy();
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
  await rm(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly location: string;
  readonly body: Buffer;
}

function ask(method: string, path: string, body?: Buffer, type = 'application/octet-stream'): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const headers = { 'Content-Type': type, 'Content-Length': body?.length ?? 0 };
  const sent = request(new URL(path, base), { method, agent, headers }, (answer) => {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('error', reject);
    answer.on('end', () => {
      const { statusCode: status = 0, headers: given } = answer;
      resolve({ status, location: given.location ?? '', body: Buffer.concat(parts) });
    });
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

async function must(status: number, ...parameters: Parameters<typeof ask>): Promise<Reply> {
  const reply = await ask(...parameters);
  assert.equal(
    reply.status,
    status,
    `${parameters[0]} ${parameters[1]}: ${reply.body.toString().slice(0, 200)}`,
  );
  return reply;
}

const digestOf = (data: Buffer): string => `sha256:${hash('sha256', data)}`;
/** By digest: what was pushed. */
const sentBlobs = new Map<string, Buffer>();
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** An image whose layers nobody else has; resolves to its digest. */
async function push(repository: string, tag: string): Promise<string> {
  const descriptors = [];
  for (let number = 0; number < layers; number += 1) {
    const data = number === 0 ? Buffer.from(JSON.stringify({ tag })) : randomBytes(layerSize);
    const digest = digestOf(data);
    sentBlobs.set(digest, data);
    const { location } = await must(202, 'POST', `/v2/${repository}/blobs/uploads/`);
    await must(201, 'PUT', `${location}?digest=${digest}`, data);
    descriptors.push({ mediaType: 'application/octet-stream', digest, size: data.length });
  }
  const [config, ...rest] = descriptors;
  const document = { schemaVersion: 2, mediaType: manifestType, config, layers: rest };
  const manifest = Buffer.from(JSON.stringify(document));
  await must(201, 'PUT', `/v2/${repository}/manifests/${tag}`, manifest, manifestType);
  return digestOf(manifest);
}

/** GET of what is known, compared as it comes: the client is not to be what takes the time. */
function compare(path: string, known: Buffer): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const sent = request(new URL(path, base), { agent }, (answer) => {
    let at = 0;
    answer.on('data', (part: Buffer) => {
      if (!part.equals(known.subarray(at, at + part.length))) reject(new Error(`${path}: wrong at ${at}`));
      at += part.length;
    });
    answer.on('error', reject);
    answer.on('end', () => {
      if (answer.statusCode === 200 && at === known.length) resolve(undefined);
      else reject(new Error(`${path}: ${answer.statusCode}, ${at} of ${known.length} bytes`));
    });
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

async function pull(repository: string, tag: string, digest: string): Promise<void> {
  const { body } = await must(200, 'GET', `/v2/${repository}/manifests/${tag}`);
  assert.equal(digestOf(body), digest);
  const { config, layers: rest } = JSON.parse(body.toString()) as Record<string, unknown> & {
    config: { digest: string };
    layers: readonly { digest: string }[];
  };
  await Promise.all(
    [config, ...rest].map(async ({ digest: blob }) => {
      const known = sentBlobs.get(blob);
      assert.ok(known);
      await compare(`/v2/${repository}/blobs/${blob}`, known);
    }),
  );
}

/** Bytes of the server's own: the CLI's child. */
function memory(): number {
  const [pid = String(server.pid)] = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((text) => text !== '');
  const [, kilobytes = '0'] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

test(`${pulls} pulls and ${pushes} pushes at once, while garbage is collected`, async (t) => {
  const digest = await push('library/app', 'latest');
  let peak = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, memory())), 50);
  const began = performance.now();
  const pushed = await Promise.all([
    ...Array.from({ length: pushes }, (_, number) => push(`team/app${number % 7}`, `v${number}`)),
    ...Array.from({ length: pulls }, () => pull('library/app', 'latest', digest)),
  ]);
  const seconds = (performance.now() - began) / 1000;
  clearInterval(sampler);
  const moved = ((pulls + pushes) * (layers - 1) * layerSize) / 1e6;
  t.diagnostic(
    `${pulls} pulls and ${pushes} pushes: ${moved.toFixed(0)} MB in ${seconds.toFixed(1)} s (${(moved / seconds).toFixed(0)} MB/s), PSS at most ${(peak / 1e6).toFixed(0)} MB`,
  );
  assert.ok(peak < mostMemory, `the registry took ${peak} bytes`);
  for (let number = 0; number < pushes; number += 1) {
    await pull(`team/app${number % 7}`, `v${number}`, pushed[number] ?? '');
  }
  assert.equal(logged.replace(/^The registry .*\n/, ''), '');
});
