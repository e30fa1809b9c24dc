import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { errnoOf, messageOf, type Logger } from '#kernel';
import type { Answer, Call } from './answer.ts';
import { isDiskFull } from './observation/health.ts';
import { diskFull, nameInvalid, RegistryError } from './registry-error.ts';

/** The address with its path decoded. Throws NAME_INVALID for one that is none. */
export function urlOf({ url = '/' }: IncomingMessage): {
  readonly pathname: string;
  readonly searchParams: URLSearchParams;
} {
  try {
    const { pathname, searchParams } = new URL(`http://registry${url.startsWith('/') ? url : `/${url}`}`);
    return { pathname: decodeURIComponent(pathname), searchParams };
  } catch {
    throw nameInvalid(url);
  }
}

/** Sends an answer as far as the client takes it. */
export async function send(call: Call, response: ServerResponse, answer: Answer): Promise<void> {
  response.writeHead(answer.status, answer.headers);
  const { body } = answer;
  if (body === undefined || call.method === 'HEAD') response.end();
  else if (typeof body === 'function') await pipeline(await body(), response);
  else response.end(body);
}

/** Answers with what went wrong. */
export function fail(response: ServerResponse, error: unknown, logger: Logger): void {
  if (response.headersSent || response.destroyed) {
    // Too late for a status: the missing end tells the client.
    response.destroy();
    return;
  }
  const known = isDiskFull(error) ? diskFull() : error instanceof RegistryError ? error : undefined;
  if (!known && errnoOf(error) !== 'ECONNRESET') {
    logger.error({ error: messageOf(error) }, 'request failed');
  }
  const { message, detail } = known ?? { message: messageOf(error), detail: undefined };
  const failure = { code: known?.code ?? 'UNKNOWN', message, detail };
  const body = JSON.stringify({ errors: [failure] });
  response.writeHead(known?.status ?? 500, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...known?.headers,
  });
  response.end(body);
}
