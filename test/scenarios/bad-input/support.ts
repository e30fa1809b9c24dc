import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { eventually, type Daemon } from '../../setup/index.ts';
import type { Engine } from '../docker-cli/engine.ts';

export interface RawAnswer {
  readonly status: number;
  readonly type: string;
  /** Of a JSON answer `{ message }`, else the whole body. */
  readonly message: string;
}

/** A request exactly as given, body and all: what no client would send. */
export function raw(
  engine: Engine,
  line: string,
  options: { body?: string | Uint8Array; type?: string } = {},
): Promise<RawAnswer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const headers = options.type === undefined ? {} : { 'content-type': options.type };
  const socketPath = (engine.env['DOCKER_HOST'] ?? '').replace('unix://', '');
  const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const type = response.headers['content-type'] ?? '';
      resolve({ status: response.statusCode ?? 0, type, message: messageIn(text) });
    });
  });
  sent.on('error', reject);
  sent.end(options.body);
  return promise;
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.trim();
  }
}

const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/**
 * What lies under the data root, one line each: blobs, downloads under way, snapshots (counted, since their numbers
 * only grow), containers, volumes, and everything that is mounted there.
 */
export async function holdings(daemon: Daemon): Promise<readonly string[]> {
  const at = (path: string): string => join(daemon.dataRoot, path);
  const found: string[] = [];
  for (const algorithm of await list(at('content/blobs'))) {
    for (const name of await list(at(`content/blobs/${algorithm}`))) found.push(`blob ${algorithm}:${name}`);
  }
  for (const name of await list(at('content/ingest'))) found.push(`ingest ${name}`);
  const snapshots = (await list(at('snapshots'))).filter((name) => name !== 'trash');
  found.push(`snapshots ${snapshots.length}`);
  for (const name of await list(at('snapshots/trash'))) found.push(`trash ${name}`);
  for (const name of await list(at('containers'))) {
    if (!name.startsWith('.')) found.push(`container ${name}`);
  }
  for (const name of await list(at('volumes'))) found.push(`volume ${name}`);
  for (const line of (await readFile('/proc/self/mounts', 'utf8')).split('\n')) {
    const path = line.split(' ')[1] ?? '';
    const fixed = [daemon.dataRoot, daemon.runFolder, at('snapshots')].includes(path);
    if (path.startsWith(`${daemon.folder}/`) && !fixed) found.push(`mount ${path}`);
  }
  return found.sort();
}

/** Asserts that the data root holds what it held, waiting for what is tidied up in the background. */
export async function assertHoldings(
  daemon: Daemon,
  held: readonly string[],
  relevant = (lines: readonly string[]): readonly string[] => lines,
): Promise<void> {
  const before = held.filter((line) => !line.startsWith('trash '));
  let now: readonly string[] = [];
  await eventually(
    async () => {
      now = relevant(await holdings(daemon));
      return JSON.stringify(now) === JSON.stringify(before);
    },
    { timeout: 5_000 },
  ).catch(() => undefined);
  assert.deepEqual(now, before, 'the data root does not hold what it held');
}

/** Runs `task` and asserts that it has left the data root, the containers and the images as they were. */
export async function leavingNothing(engine: Engine, task: () => Promise<void>): Promise<void> {
  const { daemon } = engine;
  const known = async (): Promise<readonly string[]> => [
    (await raw(engine, 'GET /containers/json?all=1')).message,
    (await raw(engine, 'GET /images/json?all=1')).message,
  ];
  const before = daemon && { held: await holdings(daemon), known: await known() };
  await task();
  if (!daemon || !before) return;
  await assertHoldings(daemon, before.held);
  assert.deepEqual(await known(), before.known);
}
