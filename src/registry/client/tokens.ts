import { createHash } from 'node:crypto';
import { SingleFlight } from '#kernel';
import { answerFailure } from './answer-failure.ts';
import type { Challenge } from './challenge.ts';
import { requestName } from './network-failure.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { RegistryAuth } from './registry-client.ts';
import { readText, type Answer, type Transport } from './transport.ts';

const clientId = 'docker';
/** Seconds, where the server says nothing (the token specification's default). */
const defaultLifetime = 60;
/** Milliseconds by which a token is renewed before it ends. */
const margin = 5_000;

interface Token {
  readonly value: string;
  readonly refreshToken: string | undefined;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
}

export interface TokenRequest {
  readonly challenge: Challenge;
  /** `repository:library/x:pull` */
  readonly scopes: readonly string[];
  readonly auth: RegistryAuth;
  /** The registry that asks: its scheme decides what may be sent to the realm. */
  readonly registry: URL;
  readonly isSecure: boolean;
  readonly signal: AbortSignal;
}

export const basicHeader = ({ username = '', password = '' }: RegistryAuth): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Bearer tokens by realm, scope and credentials, fetched once and kept until they end. */
export class Tokens {
  readonly #transport: Transport;
  readonly #tokens = new Map<string, Token>();
  readonly #flights = new SingleFlight<Token>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Throws RegistryFailure with the token server's words. */
  async get(request: TokenRequest): Promise<string> {
    const key = keyOf(request);
    const now = Date.now();
    for (const [each, token] of this.#tokens) if (token.endsAt <= now) this.#tokens.delete(each);
    const known = this.#tokens.get(key);
    if (known) return known.value;
    const fetchShared = async (signal: AbortSignal): Promise<Token> => {
      const token = await this.#fetch({ ...request, signal }, false);
      this.#tokens.set(key, token);
      return token;
    };
    return (await this.#flights.run(key, fetchShared, request.signal)).value;
  }

  /** Drops a token that the registry no longer takes. */
  forget(request: TokenRequest): void {
    this.#tokens.delete(keyOf(request));
  }

  /** A fresh token for `docker login`, with the identity token if the server gives one. */
  async login(request: TokenRequest): Promise<{ token: string; identityToken: string }> {
    const token = await this.#fetch(request, true);
    return { token: token.value, identityToken: token.refreshToken ?? '' };
  }

  async #fetch(request: TokenRequest, isLogin: boolean): Promise<Token> {
    const { challenge, signal, isSecure } = request;
    const realm = challenge.parameters.realm ?? '';
    if (!URL.canParse(realm))
      throw new RegistryFailure('internal', `invalid token server address ${JSON.stringify(realm)}`);
    const url = new URL(realm);
    refuseDowngrade(request, url);
    const verifiesTls = isSecure || url.hostname !== request.registry.hostname;
    const answer =
      request.auth.identitytoken !== undefined && request.auth.identitytoken !== ''
        ? await this.#transport.send({
            method: 'POST',
            url,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: refreshForm(request).toString(),
            signal,
            verifiesTls,
          })
        : await this.#transport.send(getToken(request, url, verifiesTls, isLogin));
    return await parseToken(answer);
  }
}

/** A password sent in the clear to a host that an encrypted registry names would be a gift to whoever listens. */
function refuseDowngrade({ auth, registry, isSecure }: TokenRequest, realm: URL): void {
  const isWeb = realm.protocol === 'https:' || realm.protocol === 'http:';
  const hasSecret = Boolean(auth.username) || Boolean(auth.identitytoken);
  if (!isWeb || (isSecure && hasSecret && registry.protocol === 'https:' && realm.protocol === 'http:')) {
    throw new RegistryFailure(
      'internal',
      `refused to send credentials to the token server ${realm.origin}: it is not encrypted`,
    );
  }
}

function refreshForm({ challenge, scopes, auth }: TokenRequest): URLSearchParams {
  return new URLSearchParams({
    grant_type: 'refresh_token',
    service: challenge.parameters.service ?? '',
    client_id: clientId,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    refresh_token: auth.identitytoken ?? '',
  });
}

function getToken(
  request: TokenRequest,
  realm: URL,
  verifiesTls: boolean,
  isLogin: boolean,
): Parameters<Transport['send']>[0] {
  const { challenge, scopes, auth, signal } = request;
  const url = new URL(realm);
  if (auth.username) url.searchParams.set('account', auth.username);
  if (isLogin) {
    url.searchParams.set('client_id', clientId);
    url.searchParams.set('offline_token', 'true');
  }
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (challenge.parameters.service !== undefined)
    url.searchParams.set('service', challenge.parameters.service);
  const headers = auth.username ? { authorization: basicHeader(auth) } : {};
  return { method: 'GET', url, headers, signal, verifiesTls };
}

async function parseToken(answer: Answer): Promise<Token> {
  if (answer.status !== 200) throw await answerFailure(answer);
  const text = await readText(answer, 1 << 20);
  let parsed: Partial<Record<string, unknown>>;
  try {
    parsed = (JSON.parse(text) ?? {}) as Partial<Record<string, unknown>>;
  } catch (error) {
    const what = `unable to decode token response of ${requestName(answer.method, new URL(answer.url.pathname, answer.url))}`;
    throw new RegistryFailure('internal', what, { cause: error });
  }
  const value = parsed.access_token || parsed.token;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryFailure('internal', 'authorization server did not include a token in the response');
  }
  const lifetime =
    typeof parsed.expires_in === 'number' ? Math.max(parsed.expires_in, defaultLifetime) : defaultLifetime;
  const refreshToken = typeof parsed.refresh_token === 'string' ? parsed.refresh_token : undefined;
  return { value, refreshToken, endsAt: Date.now() + lifetime * 1000 - margin };
}

/** Hashed, so that no password lies about as a map's key. */
function keyOf({ challenge, scopes, auth }: TokenRequest): string {
  const { realm, service } = challenge.parameters;
  const parts = [realm, service, [...scopes].sort(), auth.username, auth.password, auth.identitytoken];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
