import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { messageOf } from '#kernel';
import { adminSocket } from '../registry-folder.ts';
import type { RegistryServer } from '../registry-server.ts';
import type { HousekeepingRounds, RoundOptions } from './housekeeping.ts';

export interface AdministrationParts {
  readonly server: RegistryServer;
  readonly rounds: HousekeepingRounds;
  readonly reload: () => Promise<void>;
}

type Verb = (parts: AdministrationParts, options: unknown) => Promise<unknown>;

/** What may be asked for: `POST /<verb>` with JSON, answered with JSON. */
const verbs: Readonly<Record<string, Verb>> = {
  // The socket is open to programs of whoever owns the folder alone: this program's own.
  '/round': async ({ rounds }, options) => await rounds.run(options as RoundOptions),
  '/usage': ({ server }) => Promise.resolve(server.usage()),
  '/reload': async ({ reload }) => {
    await reload();
    return {};
  },
};

/**
 * Serves the verbs of `wharf registry` on a socket in the registry's folder. Whoever may open the folder may ask: there
 * are no other credentials.
 */
export async function serveAdministration(
  root: string,
  parts: AdministrationParts,
): Promise<AsyncDisposable> {
  const path = adminSocket(root);
  // The folder is locked: a socket that is there is left over.
  await rm(path, { force: true });
  const server = createServer((request, response) => {
    answer(parts, request).then(
      (body) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(body),
      (error: unknown) => response.writeHead(500).end(JSON.stringify({ message: messageOf(error) })),
    );
  });
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  } finally {
    process.umask(umask);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(parts: AdministrationParts, request: IncomingMessage): Promise<string> {
  const verb = verbs[request.url ?? ''];
  if (!verb || request.method !== 'POST') throw new Error(`${request.url ?? ''}: no such verb`);
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  const done = await verb(parts, JSON.parse(text === '' ? 'null' : text));
  return JSON.stringify(done, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
