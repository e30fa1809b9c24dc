import { randomBytes } from 'node:crypto';
import { Code, ConnectError } from '@connectrpc/connect';
import { Auth } from '#buildkit';
import { findAuth } from '../../config/credentials.ts';
import type { ConfigFile } from '../../config/config-file.ts';
import { fetchToken } from './fetch-token.ts';
import { unary, type SessionService } from './session-service.ts';

/**
 * Serves what is known for registries, from the configuration and from credential helpers: tokens that are asked for
 * here, so that passwords stay here, and passwords for registries without tokens.
 */
export const credentials = (config: ConfigFile): SessionService => {
  const authOf = (host: string): ReturnType<typeof findAuth> =>
    findAuth(config, host === 'registry-1.docker.io' ? 'docker.io' : host);
  return {
    ...unary(Auth.method.credentials, ({ host }) => {
      const { username = '', password = '', identitytoken = '' } = authOf(host) ?? {};
      return identitytoken === '' ? { username, secret: password } : { secret: identitytoken };
    }),
    // Engines ask for tokens once they know that there is something to get them with; the key is of no other use.
    ...unary(Auth.method.getTokenAuthority, ({ host }) => {
      const { username, identitytoken } = authOf(host) ?? {};
      if (!username && !identitytoken) throw new ConnectError(`no credentials for ${host}`, Code.Unavailable);
      return { publicKey: randomBytes(32) };
    }),
    ...unary(Auth.method.fetchToken, ({ host, realm, service, scopes, clientId }) =>
      fetchToken({ realm, service, scopes, clientId }, authOf(host)),
    ),
  };
};
