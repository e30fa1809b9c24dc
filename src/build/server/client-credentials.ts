import { randomBytes } from 'node:crypto';
import { ConnectError } from '@connectrpc/connect';
import { Auth } from '#buildkit';
import { EngineError } from '#kernel';
import type { RegistryAuth } from '#registry/client';
import type { ClientSession } from './client-session.ts';

const service = '/moby.filesync.v1.Auth';
const clientId = 'buildkit-client';

/**
 * A client's credentials for a registry. A client that gets tokens itself keeps what it has; of others they are asked
 * for. Undefined where there are none.
 */
export async function clientCredentials(
  session: ClientSession,
  host: string,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  const reveal = async (): Promise<RegistryAuth | undefined> => {
    if (!session.offers(`${service}/Credentials`)) return undefined;
    const { username, secret } = await session.client(Auth).credentials({ host }, { signal });
    if (secret === '') return undefined;
    // A secret of nobody is a token that stands for somebody.
    return username === '' ? { identitytoken: secret } : { username, password: secret };
  };
  if (!(await getsTokens(session, host, signal))) return reveal();
  return {
    keeper: {
      id: `${session.introduction.id} ${host}`,
      reveal,
      fetchToken: async ({ realm, service, scopes }, options) => {
        const request = { clientId, host, realm, service, scopes: [...scopes] };
        try {
          const { token, expiresIn } = await session.client(Auth).fetchToken(request, options);
          return { token, seconds: Number(expiresIn) };
        } catch (error) {
          options.signal.throwIfAborted();
          if (!(error instanceof ConnectError)) throw error;
          throw new EngineError('unauthenticated', error.rawMessage, { cause: error });
        }
      },
    },
  };
}

/** A client says so with a key by which others of its user could be known. */
async function getsTokens(session: ClientSession, host: string, signal: AbortSignal): Promise<boolean> {
  if (!session.offers(`${service}/GetTokenAuthority`) || !session.offers(`${service}/FetchToken`))
    return false;
  try {
    const salt = randomBytes(32);
    const { publicKey } = await session.client(Auth).getTokenAuthority({ host, salt }, { signal });
    return publicKey.length > 0;
  } catch {
    // Clients without credentials for the host, and those that hand them out, say so in a sentence.
    signal.throwIfAborted();
    return false;
  }
}
