import { Readable } from 'node:stream';
import { request } from 'node:http';
import { readTar } from '#archive';
import type { Daemon } from '../../setup/index.ts';
import type { Tree } from './images.ts';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** The daemon went away under a request. */
export class Interrupted extends Error {}

/** One request to the engine. Rejects with Interrupted where the daemon dies meanwhile. */
export function ask(
  daemon: Daemon,
  method: string,
  path: string,
  body?: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const lost = (error: Error): void => reject(new Interrupted(`${method} ${path}`, { cause: error }));
  const options = { socketPath: daemon.socket, method, path, headers, agent: false };
  const sent = request(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', lost);
    response.on('end', () => {
      const [status, data] = [response.statusCode ?? 0, Buffer.concat(chunks)];
      // Who answers for a daemon that is gone.
      if (status === 503 && data.includes('the engine is not running')) lost(new Error(data.toString()));
      else resolve({ status, body: data });
    });
  });
  sent.on('error', lost);
  sent.end(body);
  return promise;
}

/** What an answer of several lines of JSON tells last, and its error if there is one. */
export function lines({ body }: Answer): { readonly last: Record<string, unknown>; readonly error?: string } {
  const all = body
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const failed = all.find(({ error }) => error !== undefined);
  return { last: all.at(-1) ?? {}, ...(failed && { error: String(failed['error']) }) };
}

const json = (value: object): [Buffer, Record<string, string>] => [
  Buffer.from(JSON.stringify(value)),
  { 'content-type': 'application/json' },
];

export async function createContainer(daemon: Daemon, image: string): Promise<string> {
  const answer = await ask(
    daemon,
    'POST',
    '/containers/create',
    ...json({ Image: image, Cmd: ['/nothing'] }),
  );
  if (answer.status !== 201)
    throw new Error(`create from ${image}: ${answer.status} ${answer.body.toString()}`);
  return (JSON.parse(answer.body.toString()) as { Id: string }).Id;
}

/** The tree that an image runs on, by way of a container that is exported. */
export async function exported(daemon: Daemon, image: string): Promise<Tree> {
  const id = await createContainer(daemon, image);
  try {
    const { status, body } = await ask(daemon, 'GET', `/containers/${id}/export`);
    if (status !== 200) throw new Error(`export of ${image}: ${status} ${body.toString()}`);
    const tree = new Map<string, string>();
    const whole = Readable.from([body]) as AsyncIterable<Uint8Array>;
    for await (const { header, content } of readTar(whole)) {
      if (header.type !== 'file' || !header.name.startsWith('data/')) continue;
      tree.set(header.name, Buffer.concat(await Array.fromAsync(content)).toString());
    }
    return tree;
  } finally {
    await ask(daemon, 'DELETE', `/containers/${id}?force=1&v=1`);
  }
}

/** Images by id with their names. */
export async function listed(daemon: Daemon): Promise<Map<string, readonly string[]>> {
  const { status, body } = await ask(daemon, 'GET', '/images/json?all=1');
  if (status !== 200) throw new Error(`list: ${status} ${body.toString()}`);
  const images = JSON.parse(body.toString()) as readonly { Id: string; RepoTags: readonly string[] | null }[];
  return new Map(
    images.map(({ Id, RepoTags }) => [Id, (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').sort()]),
  );
}
