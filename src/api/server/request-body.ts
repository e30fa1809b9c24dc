import type { IncomingMessage } from 'node:http';
import { invalidArgument } from '#kernel';
import { describeSyntaxError } from './json-syntax.ts';

/** Larger JSON bodies are refused; a container's configuration has a few kilobytes. */
const maxJsonBytes = 32 * 1024 * 1024;

/** Whether a body was announced. */
export const hasBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined ||
  (request.headers['content-length'] !== undefined && request.headers['content-length'] !== '0');

/**
 * A JSON body, or undefined when the request has none. Throws invalidArgument in Docker's words: for another
 * content type, for text that is no JSON, and for anything behind the first value.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  checkContentType(request);
  if (!hasBody(request)) return undefined;
  const text = await readText(request);
  if (text.trim() === '') return undefined;
  return parseJson(text);
}

/** Throws invalidArgument with Go's text for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const description = describeSyntaxError(text) ?? 'unexpected EOF';
    const prefix = description === 'unexpected content after JSON' ? '' : 'invalid JSON: ';
    throw invalidArgument(`${prefix}${description}`, error);
  }
}

function checkContentType(request: IncomingMessage): void {
  const type = request.headers['content-type'];
  if (type === undefined && !hasBody(request)) return;
  const media = (type ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (media === '')
    throw invalidArgument(`malformed Content-Type header (${type ?? ''}): mime: no media type`);
  if (media !== 'application/json') {
    throw invalidArgument(`unsupported Content-Type header (${type ?? ''}): must be 'application/json'`);
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Without an encoding a request's chunks are Buffers.
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxJsonBytes) throw invalidArgument(`request body exceeds ${maxJsonBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
