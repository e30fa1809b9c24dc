import { STATUS_CODES } from 'node:http';
import { invalidArgument, messageOf, unavailable } from '#kernel';
import { baseUrl, endpointOf, type Places } from './endpoint.ts';
import { requestName } from './network-failure.ts';
import type { RegistryAuth, SearchResult } from './registry-client.ts';
import { RegistryFailure } from './registry-failure.ts';
import { basicHeader } from './tokens.ts';
import type { Answer, Transport } from './transport.ts';
import type { Trust } from './trust.ts';

/** Larger answers are refused; a hundred results have some 30 kB. */
const maxAnswer = 4 << 20;
const hub = 'docker.io';
const hubIndex = 'https://index.docker.io/';

export interface SearchRequest {
  /** Domain of the registry. */
  readonly domain: string;
  readonly term: string;
  readonly limit: number;
  readonly auth: RegistryAuth;
  readonly signal: AbortSignal;
}

/**
 * Asks a registry's index, the API of its first version, that only Docker Hub and a few others still have. Throws
 * invalidArgument where there is none.
 */
export async function search(
  transport: Transport,
  places: Places,
  request: SearchRequest,
): Promise<readonly SearchResult[]> {
  const { domain, term, limit, auth, signal } = request;
  const { bases, trust } = await endpointOf(domain, places);
  const base = domain === hub ? baseUrl(hubIndex) : await findIndex(transport, bases, trust, signal);
  const url = new URL('v1/search', base);
  url.searchParams.set('q', term);
  url.searchParams.set('n', String(limit));
  const headers = {
    accept: 'application/json',
    ...(auth.username !== undefined && auth.username !== '' && { authorization: basicHeader(auth) }),
  };
  const answer = await transport.send({ method: 'GET', url, headers, signal, trust });
  if (answer.status !== 200) {
    await answer.discard();
    throw unavailable(`Unexpected status code ${answer.status} (${STATUS_CODES[answer.status] ?? ''})`);
  }
  return parseResults(await read(answer), url);
}

/** The first address that has an index. */
async function findIndex(
  transport: Transport,
  bases: readonly URL[],
  trust: Trust,
  signal: AbortSignal,
): Promise<URL> {
  const failures: string[] = [];
  for (const base of bases) {
    const url = new URL('v1/_ping', base);
    const attempt = `${base.protocol.slice(0, -1).toUpperCase()} attempt`;
    try {
      const answer = await transport.send({ method: 'GET', url, signal, trust });
      await answer.discard();
      if (answer.status === 200) return base;
      const name = STATUS_CODES[answer.status] ?? '';
      failures.push(`${attempt}: ${requestName('GET', url)}: it answered ${answer.status} ${name}`.trimEnd());
    } catch (error) {
      if (!(error instanceof RegistryFailure)) throw error;
      failures.push(`${attempt}: ${messageOf(error)}`);
    }
  }
  const last = bases.at(-1);
  throw invalidArgument(
    `invalid registry endpoint ${JSON.stringify(new URL('v1/', last).href)}. ${failures.join('. ')}`,
  );
}

async function read(answer: Answer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxAnswer) throw unavailable(`the answer of ${answer.url.host} is too long`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseResults(text: string, url: URL): readonly SearchResult[] {
  let results: unknown;
  try {
    ({ results } = JSON.parse(text) as { results?: unknown });
  } catch (error) {
    throw unavailable(`${url.host} sent no JSON where results of a search were expected`, error);
  }
  if (!Array.isArray(results)) return [];
  return results.map((each: unknown) => {
    const fields = (typeof each === 'object' ? each : {}) as Readonly<Record<string, unknown>>;
    const { name, description, star_count: stars } = fields;
    return {
      name: typeof name === 'string' ? name : '',
      description: typeof description === 'string' ? description : '',
      stars: typeof stars === 'number' ? stars : 0,
      isOfficial: fields['is_official'] === true,
    };
  });
}
