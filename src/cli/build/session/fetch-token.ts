import type { AuthConfig } from '#api/types';

/** What a registry wants to be asked for a token (distribution's token authentication). */
export interface TokenQuestion {
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
  readonly clientId: string;
}

export interface Token {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: bigint;
  /** Seconds since the epoch. */
  readonly issuedAt: bigint;
}

interface Answer {
  readonly token?: string;
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly issued_at?: string;
}

const shortest = 60;

/** Asks for a token: with a password, a token that stands for one, or nobody's name. Throws what the registry says. */
export async function fetchToken(question: TokenQuestion, auth: AuthConfig | undefined): Promise<Token> {
  const { username = '', password = '', identitytoken = '' } = auth ?? {};
  const response = await (identitytoken === ''
    ? askByGet(question, username, password)
    : askByPost(question, identitytoken));
  const text = await response.text();
  if (!response.ok) {
    throw new Error(
      `failed to fetch a token from ${question.realm}: ${response.status} ${text.slice(0, 200)}`,
    );
  }
  const answer = JSON.parse(text) as Answer;
  const token = answer.token ?? answer.access_token ?? '';
  if (token === '')
    throw new Error(`authorization server ${question.realm} did not include a token in the response`);
  const issued = Date.parse(answer.issued_at ?? '');
  return {
    token,
    expiresIn: BigInt(Math.max(shortest, answer.expires_in ?? shortest)),
    issuedAt: BigInt(Math.floor((Number.isNaN(issued) ? Date.now() : issued) / 1000)),
  };
}

async function askByGet(question: TokenQuestion, username: string, password: string): Promise<Response> {
  const url = new URL(question.realm);
  url.searchParams.set('service', question.service);
  for (const scope of question.scopes) url.searchParams.append('scope', scope);
  if (username !== '') url.searchParams.set('account', username);
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return fetch(url, username === '' ? {} : { headers: { Authorization: `Basic ${basic}` } });
}

async function askByPost(question: TokenQuestion, refreshToken: string): Promise<Response> {
  const body = new URLSearchParams({
    ...{ grant_type: 'refresh_token', service: question.service, client_id: question.clientId },
    ...{ scope: question.scopes.join(' '), refresh_token: refreshToken },
  });
  return fetch(question.realm, { method: 'POST', body });
}
