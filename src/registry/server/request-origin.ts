import type { IncomingMessage } from 'node:http';

/** `https://registry.example:5000`, as the client of a request sees it. */
export function originOf(request: IncomingMessage): string {
  const { host = 'localhost', 'x-forwarded-proto': forwarded } = request.headers;
  return `${forwarded === 'https' || 'encrypted' in request.socket ? 'https' : 'http'}://${host}`;
}
