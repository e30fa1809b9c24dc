import type { IncomingMessage, ServerResponse } from 'node:http';
import { pino } from 'pino';
import type { Logger } from '#kernel';

/** A JSON object a line, on stdout: the access log, and what went wrong. */
export const registryLogger = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 1, sync: true }),
  );

/** Parameters that tell nothing that is to be kept secret; of others only the name is written down. */
const plain = new Set([
  'account',
  'artifactType',
  'digest',
  'digest-algorithm',
  'from',
  'last',
  'mount',
  'n',
  'ns',
  'page',
  'q',
  'scope',
  'service',
  'sort',
  'tag',
]);

/** A request's target without what could be a secret. */
export function withoutSecrets(target: string): string {
  if (!target.includes('?')) return target;
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const fields = [...new URLSearchParams(query)].map(([name, value]) => [
    name,
    plain.has(name) ? value : '***',
  ]);
  const text = new URLSearchParams(fields).toString();
  return `${path}?${text.replaceAll('%3A', ':').replaceAll('%2F', '/')}`;
}

/** What the access log says of a request. Credentials stand in headers and bodies, of which there is nothing here. */
export const accessRecord = (
  request: IncomingMessage,
  response: ServerResponse,
  more: {
    readonly id: string;
    readonly user: string | undefined;
    readonly remote: string | undefined;
    readonly ms: number;
    readonly received: number;
    readonly sent: number;
  },
): object => ({
  id: more.id,
  remote: more.remote,
  user: more.user,
  method: request.method,
  url: withoutSecrets(request.url ?? ''),
  status: response.statusCode,
  received: more.received,
  sent: more.sent,
  ms: more.ms,
  agent: request.headers['user-agent'],
  // What a client did not wait for.
  ...(!response.writableEnded && { aborted: true }),
});
