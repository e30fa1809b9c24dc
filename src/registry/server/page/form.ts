import type { IncomingMessage } from 'node:http';
import { RegistryError } from '../registry-error.ts';

const largest = 16_384;

/** The fields of a form that was sent as application/x-www-form-urlencoded. Throws 413. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > largest) throw new RegistryError(413, 'DENIED', 'this form is too large');
  }
  return new URLSearchParams(text);
}
