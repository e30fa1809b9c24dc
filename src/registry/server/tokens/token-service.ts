import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import type { KeyObject } from 'node:crypto';
import type { Clock } from '#kernel';
import type { Grant, TokenBearer, TokenService } from '../access.ts';
import type { TrustedKeys } from './trusted-keys.ts';

export interface TokenServiceSettings {
  /** Where clients get tokens. */
  readonly realm: string;
  /** This registry's name there, and the audience of its tokens. */
  readonly service: string;
  /** Whose tokens are taken. */
  readonly issuer: string;
  readonly keys: TrustedKeys;
}

/** Only with two keys: whoever can read ours cannot make a token. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Seconds by which two hosts' clocks may differ. */
const clockTolerance = 60;

/** Tokens of an outside service: JWT (RFC 7519) with the `access` claim of distribution's token specification. */
export class OutsideTokens implements TokenService {
  readonly realm: string;
  readonly service: string;
  readonly #settings: TokenServiceSettings;
  readonly #clock: Clock;

  constructor(settings: TokenServiceSettings, clock: Clock) {
    this.realm = settings.realm;
    this.service = settings.service;
    this.#settings = settings;
    this.#clock = clock;
  }

  async verify(token: string): Promise<TokenBearer | undefined> {
    const { issuer, service, keys } = this.#settings;
    const currentDate = new Date(Number(this.#clock.now() / 1_000_000n));
    const options = {
      issuer,
      audience: service,
      algorithms,
      clockTolerance,
      currentDate,
      requiredClaims: ['exp'],
    };
    let candidates: readonly KeyObject[];
    try {
      candidates = keys.find(decodeProtectedHeader(token), currentDate);
    } catch {
      // No token, or certificates that are none.
      return undefined;
    }
    for (const key of candidates) {
      const payload = await payloadOf(token, key, options);
      if (payload) return { user: payload.sub || undefined, grants: grantsOf(payload['access']) };
    }
    return undefined;
  }
}

/** undefined: not signed with this key, or not good for other reasons. */
async function payloadOf(
  token: string,
  key: KeyObject,
  options: JWTVerifyOptions,
): Promise<JWTPayload | undefined> {
  try {
    return (await jwtVerify(token, key, options)).payload;
  } catch (error) {
    // A TypeError: a key of another kind than the algorithm's.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function grantsOf(access: unknown): readonly Grant[] {
  if (!Array.isArray(access)) return [];
  return access.flatMap((each: unknown) => {
    if (typeof each !== 'object' || each === null) return [];
    const { type, name, actions } = each as Partial<Record<string, unknown>>;
    if (typeof type !== 'string' || typeof name !== 'string' || !Array.isArray(actions)) return [];
    return [{ type, name, actions: actions.filter((action) => typeof action === 'string') }];
  });
}
