import { Auth } from '#buildkit';
import { findAuth } from '../../config/credentials.ts';
import type { ConfigFile } from '../../config/config-file.ts';
import { unary, type SessionService } from './session-service.ts';

/** Serves what is known for registries: from the configuration and from credential helpers. */
export const credentials = (config: ConfigFile): SessionService =>
  unary(Auth.method.credentials, ({ host }) => {
    const auth = findAuth(config, host === 'registry-1.docker.io' ? 'docker.io' : host);
    const { username = '', password = '', identitytoken = '' } = auth ?? {};
    return identitytoken === '' ? { username, secret: password } : { secret: identitytoken };
  });
