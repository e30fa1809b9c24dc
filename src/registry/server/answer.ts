import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** One request, taken apart as far as every handler needs it. */
export interface Call {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly query: URLSearchParams;
  /** Of the request, in log and notifications. */
  readonly id: string;
  readonly user: string | undefined;
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  /** Text, bytes, or a stream whose Content-Length is among the headers. Not sent to HEAD. */
  readonly body?: string | Uint8Array | (() => Promise<Readable>);
}

/** An answer that is a text. */
export interface TextAnswer extends Answer {
  readonly body: string;
}

export const json = (value: unknown, headers: OutgoingHttpHeaders = {}): TextAnswer => ({
  status: 200,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: `${JSON.stringify(value)}\n`,
});

/** The bytes a request says it has; undefined: it does not say. */
export function lengthOf({ request }: Call): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** Whether the client has it already (If-None-Match, RFC 9110, section 13.1.2). */
export function isUnchanged({ request }: Call, etag: string): boolean {
  const known = request.headers['if-none-match'];
  if (known === undefined) return false;
  return known.trim() === '*' || known.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}
