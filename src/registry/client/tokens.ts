import { createHash } from 'node:crypto';
import { SingleFlight } from '#kernel';
import { answerFailure } from './answer-failure.ts';
import type { Challenge } from './challenge.ts';
import { requestName } from './network-failure.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { CredentialsKeeper, RegistryAuth } from './registry-client.ts';
import { readText, type Answer, type Transport } from './transport.ts';
import { elsewhere, type Trust } from './trust.ts';

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
  readonly trust: Trust;
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
    const { challenge, auth } = request;
    const realm = challenge.parameters.realm ?? '';
    if (!URL.canParse(realm))
      throw new RegistryFailure('internal', `invalid token server address ${JSON.stringify(realm)}`);
    const url = new URL(realm);
    refuseDowngrade(request, url);
    if (auth.keeper) return await keptToken(auth.keeper, request, realm);
    if (auth.identitytoken) {
      const grant = { grant_type: 'refresh_token', refresh_token: auth.identitytoken };
      return await parseToken(await this.#post(request, url, grant));
    }
    const answer = await this.#transport.send(getToken(request, url, isLogin));
    if (!auth.username || (answer.status !== 404 && answer.status !== 405)) return await parseToken(answer);
    // A server of OAuth 2 alone knows no GET.
    await answer.discard();
    const { username, password = '' } = auth;
    const grant = { grant_type: 'password', username, password, ...(isLogin && { access_type: 'offline' }) };
    return await parseToken(await this.#post(request, url, grant));
  }

  /** RFC 6749, section 4.3 or 6. */
  async #post(request: TokenRequest, url: URL, grant: Readonly<Record<string, string>>): Promise<Answer> {
    const { challenge, scopes, signal } = request;
    const form = new URLSearchParams({
      ...grant,
      service: challenge.parameters.service ?? '',
      client_id: clientId,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    });
    return await this.#transport.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      signal,
      trust: trustAt(request, url),
    });
  }
}

async function keptToken(
  keeper: CredentialsKeeper,
  { challenge, scopes, signal }: TokenRequest,
  realm: string,
): Promise<Token> {
  const asked = { realm, service: challenge.parameters.service ?? '', scopes };
  const { token, seconds } = await keeper.fetchToken(asked, { signal });
  return checkedToken(token, undefined, seconds);
}

const trustAt = ({ trust, registry }: TokenRequest, { hostname }: URL): Trust =>
  hostname === registry.hostname ? trust : elsewhere(trust);

/** A password sent in the clear to a host that an encrypted registry names would be a gift to whoever listens. */
function refuseDowngrade({ auth, registry, trust }: TokenRequest, realm: URL): void {
  const isWeb = realm.protocol === 'https:' || realm.protocol === 'http:';
  const hasSecret = Boolean(auth.username) || Boolean(auth.identitytoken);
  if (
    !isWeb ||
    (trust.verifies && hasSecret && registry.protocol === 'https:' && realm.protocol === 'http:')
  ) {
    throw new RegistryFailure(
      'internal',
      `refused to send credentials to the token server ${realm.origin}: it is not encrypted`,
    );
  }
}

function getToken(request: TokenRequest, realm: URL, isLogin: boolean): Parameters<Transport['send']>[0] {
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
  return { method: 'GET', url, headers, signal, trust: trustAt(request, realm) };
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
  const refreshToken = typeof parsed.refresh_token === 'string' ? parsed.refresh_token : undefined;
  return checkedToken(value, refreshToken, typeof parsed.expires_in === 'number' ? parsed.expires_in : 0);
}

function checkedToken(value: unknown, refreshToken: string | undefined, seconds: number): Token {
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryFailure('internal', 'authorization server did not include a token in the response');
  }
  const lifetime = Math.max(seconds, defaultLifetime);
  return { value, refreshToken, endsAt: Date.now() + lifetime * 1000 - margin };
}

/** Hashed, so that no password lies about as a map's key. */
function keyOf({ challenge, scopes, auth }: TokenRequest): string {
  const { realm, service } = challenge.parameters;
  const caller = [auth.username, auth.password, auth.identitytoken, auth.keeper?.id];
  const parts = [realm, service, [...scopes].sort(), ...caller];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
