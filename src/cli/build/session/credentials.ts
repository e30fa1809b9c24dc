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
    ...unary(Auth.method.fetchToken, ({ host, realm, service, scopes, clientId }) =>
      fetchToken({ realm, service, scopes, clientId }, authOf(host)),
    ),
  };
};
