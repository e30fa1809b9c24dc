import { STATUS_CODES } from 'node:http';
import { answerFailure } from './answer-failure.ts';
import { endpointOf, domainOfServer, type Places } from './endpoint.ts';
import { requestName } from './network-failure.ts';
import type { RegistryAuth } from './registry-client.ts';
import { refail, RegistryFailure } from './registry-failure.ts';
import type { SessionParts } from './session.ts';
import { basicHeader } from './tokens.ts';

/** `docker login`: proves the credentials to the registry. Resolves to an identity token, or ''. */
export async function login(
  { transport, pings, tokens }: SessionParts,
  places: Places,
  server: string,
  auth: RegistryAuth,
  signal: AbortSignal,
): Promise<string> {
  const endpoint = await endpointOf(domainOfServer(server), places);
  const ping = await pings.get(endpoint, signal);
  const url = new URL('v2/', ping.base);
  const prove = async (authorization: string): Promise<void> => {
    const { trust } = ping;
    const answer = await transport.send({
      method: 'GET',
      url,
      headers: { authorization },
      signal,
      trust,
    });
    if (answer.status === 200) {
      await answer.discard();
      return;
    }
    const status = `${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trimEnd();
    const failure = await answerFailure(answer);
    throw refail(failure, `login attempt to ${url.href} failed with status: ${status}`);
  };
  const bearer = ping.challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm);
  if (bearer) {
    try {
      const request = { challenge: bearer, scopes: [], auth, registry: ping.base, trust: ping.trust, signal };
      const { token, identityToken } = await tokens.login(request);
      await prove(`Bearer ${token}`);
      return auth.identitytoken || identityToken;
    } catch (error) {
      if (!(error instanceof RegistryFailure) || error.message.startsWith('login attempt')) throw error;
      throw refail(error, `${requestName('GET', url)}: ${error.message}`);
    }
  }
  if (ping.challenges.some(({ scheme }) => scheme === 'basic')) await prove(basicHeader(auth));
  return '';
}
