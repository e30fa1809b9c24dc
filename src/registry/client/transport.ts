import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { RegistryProxies } from './registry-client.ts';
import { proxyFor, type ProxyChoice } from './proxy-choice.ts';
import { elsewhere, type Trust } from './trust.ts';
import { networkFailure, requestName } from './network-failure.ts';
import { RegistryFailure } from './registry-failure.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | Readable;
  readonly signal: AbortSignal;
  readonly trust: Trust;
}

/** An answer's head; the body must be read or discarded. */
export interface Answer {
  readonly method: string;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  discard(): Promise<void>;
}

export interface TransportOptions {
  readonly userAgent: string;
  readonly proxies?: RegistryProxies;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds without any byte, before and within the answer. */
  readonly stallTimeout: number;
  /** Milliseconds that an idle connection is kept. */
  readonly keepAlive: number;
}

const maxRedirects = 10;
const connectionsPerHost = 8;
const secretHeaders = ['authorization', 'cookie'];

/** HTTP without opinions about registries: one attempt, redirects followed for bodiless requests. */
export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #agents = new Map<string, Promise<Dispatcher>>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Loaded at the first request: undici takes 7 MB and 70 ms that a daemon without pulls never pays. */
  #agent(url: URL, trust: Trust): Promise<Dispatcher> {
    const proxy = proxyFor(url, this.#options.proxies, process.env);
    const key = [trust.id, proxy?.uri, proxy?.authorization].join(' ');
    let agent = this.#agents.get(key);
    if (!agent) {
      agent = this.#makeAgent(trust, proxy);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  async #makeAgent(
    { verifies, authorities, clients }: Trust,
    proxy: ProxyChoice | undefined,
  ): Promise<Dispatcher> {
    const { Agent, ProxyAgent } = await import('undici');
    const tls = {
      rejectUnauthorized: verifies,
      // Go trusts the host's certificates, Node its own list: we take both.
      ...(verifies && {
        ca: [...getCACertificates('bundled'), ...getCACertificates('system'), ...authorities],
      }),
      ...(clients.length > 0 && {
        cert: clients.map(({ cert }) => cert),
        key: clients.map(({ key }) => key),
      }),
    };
    const settings = {
      connections: connectionsPerHost,
      keepAliveTimeout: this.#options.keepAlive,
      headersTimeout: this.#options.stallTimeout,
      bodyTimeout: this.#options.stallTimeout,
      connect: { timeout: this.#options.connectTimeout, ...tls },
    };
    if (!proxy) return new Agent(settings);
    const { uri, authorization: token } = proxy;
    return new ProxyAgent({
      ...settings,
      uri,
      requestTls: tls,
      proxyTunnel: false,
      ...(token !== undefined && { token }),
    });
  }

  /** Rejects with RegistryFailure when there is no answer, with the signal's reason when aborted. */
  async send(request: HttpRequest): Promise<Answer> {
    let { url } = request;
    let headers = { ...request.headers };
    let { trust } = request;
    for (let hop = 0; ; hop += 1) {
      const answer = await this.#sendOnce({ ...request, url, headers, trust });
      const location = redirectOf(answer, request);
      if (location === undefined) return answer;
      await answer.discard();
      const next = new URL(location, url);
      checkRedirect(request, url, next, hop);
      if (next.origin !== url.origin) {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => !secretHeaders.includes(name)),
        );
        if (next.hostname !== url.hostname) trust = elsewhere(trust);
      }
      url = next;
    }
  }

  async #sendOnce(request: HttpRequest & { readonly headers: Record<string, string> }): Promise<Answer> {
    const { method, url, signal } = request;
    signal.throwIfAborted();
    const agent = await this.#agent(url, request.trust);
    try {
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { 'user-agent': this.#options.userAgent, ...request.headers },
        ...(request.body !== undefined && { body: request.body }),
        signal,
      });
      // A body that is dropped or breaks off with no reader must not end the process; readers see the error anyway.
      answer.body.on('error', () => undefined);
      return {
        method,
        url,
        status: answer.statusCode,
        headers: answer.headers,
        body: answer.body,
        discard: () => answer.body.dump({ limit: 64 << 10 }).catch(() => undefined),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw networkFailure(method, url, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    for (const agent of agents) await (await agent).destroy();
  }
}

function redirectOf(answer: Answer, request: HttpRequest): string | undefined {
  if (![301, 302, 303, 307, 308].includes(answer.status) || request.body !== undefined) return undefined;
  return request.method === 'GET' || request.method === 'HEAD' ? headerOf(answer, 'location') : undefined;
}

function checkRedirect(request: HttpRequest, from: URL, to: URL, hop: number): void {
  const name = requestName(request.method, request.url);
  if (hop >= maxRedirects)
    throw new RegistryFailure('internal', `${name}: stopped after ${maxRedirects} redirects`);
  const isWeb = to.protocol === 'https:' || to.protocol === 'http:';
  if (!isWeb || (from.protocol === 'https:' && to.protocol === 'http:' && request.trust.verifies)) {
    throw new RegistryFailure(
      'internal',
      `${name}: refused to follow a redirect from ${from.protocol} to ${to.protocol}`,
    );
  }
}

/** A header that stands once; the first value of one that stands several times. */
export function headerOf({ headers }: Pick<Answer, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** The whole body. Throws RegistryFailure over `limit` bytes. */
export async function readBody(answer: Answer, limit: number, what = 'answer'): Promise<Buffer> {
  const name = requestName(answer.method, answer.url);
  const tooLarge = (): RegistryFailure =>
    new RegistryFailure('internal', `${name}: the ${what} is larger than ${limit} bytes`);
  const announced = Number(headerOf(answer, 'content-length') ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    if (announced > limit) throw tooLarge();
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) throw tooLarge();
    }
  } catch (error) {
    answer.body.destroy();
    throw error instanceof RegistryFailure ? error : networkFailure(answer.method, answer.url, error);
  }
  return Buffer.concat(chunks);
}

export const readText = async (answer: Answer, limit: number): Promise<string> =>
  (await readBody(answer, limit)).toString('utf8');
