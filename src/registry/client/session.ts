import type { Readable } from 'node:stream';
import { answerFailure } from './answer-failure.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Endpoint } from './endpoint.ts';
import { requestName } from './network-failure.ts';
import type { Ping, Pings } from './pings.ts';
import type { RegistryAuth } from './registry-client.ts';
import { refail, RegistryFailure } from './registry-failure.ts';
import { retrying, type RetryOptions } from './retry.ts';
import { basicHeader, type TokenRequest, type Tokens } from './tokens.ts';
import type { Answer, HttpRequest, Transport } from './transport.ts';
import { elsewhere } from './trust.ts';

export interface SessionParts {
  readonly transport: Transport;
  readonly pings: Pings;
  readonly tokens: Tokens;
  readonly retry: RetryOptions;
}

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/`, or a whole address that the registry gave (an upload's Location). */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | Readable;
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
  /** Statuses below 400 are always answers; these are too. */
  readonly alsoAccepts?: readonly number[];
}

/** One endpoint, spoken to with one caller's credentials. */
export class Session {
  readonly endpoint: Endpoint;
  readonly #parts: SessionParts;
  readonly #auth: RegistryAuth;

  constructor(parts: SessionParts, endpoint: Endpoint, auth: RegistryAuth) {
    this.endpoint = endpoint;
    this.#parts = parts;
    this.#auth = auth;
  }

  /** Waits and tries again where that may help. */
  async retrying<T>(signal: AbortSignal, task: (attempt: number) => Promise<T>): Promise<T> {
    return await retrying(task, { ...this.#parts.retry, signal });
  }

  /**
   * One request with whatever the registry's challenge asks for. A refused token is renewed once. Rejects with
   * RegistryFailure for anything but success.
   */
  async request(request: RegistryRequest): Promise<Answer> {
    const ping = await this.#parts.pings.get(this.endpoint, request.signal);
    const url =
      typeof request.target === 'string' ? new URL(`v2/${request.target}`, ping.base) : request.target;
    const answer = await this.#authorized(request, url, ping);
    if (answer.status < 400 || request.alsoAccepts?.includes(answer.status)) return answer;
    const failure = await answerFailure(answer);
    // The token ended while the body was on its way, and a body cannot be sent again: whoever has it may.
    if (answer.status !== 401 || !isStream(request.body)) throw failure;
    this.#forgetTokens(request, ping, ping.challenges);
    const { code, status, kind, message } = failure;
    throw new RegistryFailure(kind, message, { code, status, isRetryable: true, cause: failure });
  }

  async #authorized(request: RegistryRequest, url: URL, ping: Ping): Promise<Answer> {
    const send = (authorization: string | undefined): Promise<Answer> =>
      this.#send(request, url, ping, authorization);
    // An upload's Location may lie elsewhere: that host gets no credentials.
    if (url.origin !== ping.base.origin) return await send(undefined);
    const first = await this.#authorization(request, url, ping, ping.challenges);
    const answer = await send(first);
    if (answer.status !== 401 || isStream(request.body)) return answer;
    const challenges = parseChallenges(answer.headers['www-authenticate']);
    if (challenges.length === 0) return answer;
    this.#forgetTokens(request, ping, [...ping.challenges, ...challenges]);
    const again = await this.#authorization(request, url, ping, challenges);
    if (again === undefined || again === first) return answer;
    await answer.discard();
    return await send(again);
  }

  async #send(request: RegistryRequest, url: URL, ping: Ping, authorization?: string): Promise<Answer> {
    try {
      return await this.#parts.transport.send({
        method: request.method,
        url,
        headers: { ...request.headers, ...(authorization !== undefined && { authorization }) },
        ...(request.body !== undefined && { body: request.body }),
        signal: request.signal,
        trust: url.hostname === ping.base.hostname ? ping.trust : elsewhere(ping.trust),
      });
    } catch (error) {
      // No answer: the registry may have moved between HTTP and HTTPS.
      this.#parts.pings.forget(this.endpoint);
      throw error;
    }
  }

  async #authorization(
    request: RegistryRequest,
    url: URL,
    ping: Ping,
    challenges: readonly Challenge[],
  ): Promise<string | undefined> {
    const { registrytoken, keeper } = this.#auth;
    if (registrytoken) return `Bearer ${registrytoken}`;
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm);
    if (bearer) {
      try {
        return `Bearer ${await this.#parts.tokens.get(this.#tokenRequest(request, ping, bearer))}`;
      } catch (error) {
        if (!(error instanceof RegistryFailure)) throw error;
        throw refail(error, `${requestName(request.method, url)}: ${error.message}`);
      }
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
    const known = keeper ? await keeper.reveal(request) : this.#auth;
    if (known?.username) return basicHeader(known);
    const message = `${requestName(request.method, url)}: no basic auth credentials`;
    throw new RegistryFailure('internal', message, { code: 'UNAUTHORIZED' });
  }

  #tokenRequest(request: RegistryRequest, ping: Ping, challenge: Challenge): TokenRequest {
    const { scopes, signal } = request;
    return {
      challenge,
      scopes,
      auth: this.#auth,
      registry: ping.base,
      trust: ping.trust,
      signal,
    };
  }

  #forgetTokens(request: RegistryRequest, ping: Ping, challenges: readonly Challenge[]): void {
    for (const challenge of challenges)
      this.#parts.tokens.forget(this.#tokenRequest(request, ping, challenge));
  }
}

const isStream = (body: RegistryRequest['body']): boolean => typeof body === 'object' && 'pipe' in body;
