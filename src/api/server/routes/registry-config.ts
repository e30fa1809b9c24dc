import { parseAuthConfig, type AuthConfig } from '#api/types';
import type { Exchange } from '../exchange.ts';

/** Under which address clients keep the Hub's credentials. */
const hub = 'https://index.docker.io/v1/';

/**
 * The credentials in X-Registry-Config, base64 of a JSON map from registries to credentials: for the domain of an
 * image's name. A missing or broken header is none.
 */
export function registryConfig(exchange: Exchange): (domain: string) => AuthConfig | undefined {
  const known = new Map(entriesOf(exchange.header('x-registry-config')));
  return (domain) => known.get(domain === 'docker.io' ? hostOf(hub) : domain);
}

function entriesOf(header: string): readonly (readonly [string, AuthConfig])[] {
  if (header === '') return [];
  try {
    // Buffer reads both alphabets.
    const value: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).map(([server, auth]) => [hostOf(server), parseAuthConfig(auth)] as const);
  } catch {
    return [];
  }
}

/** `https://registry.test/v1/` → `registry.test`: clients of different ages write both. */
const hostOf = (server: string): string =>
  server
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
