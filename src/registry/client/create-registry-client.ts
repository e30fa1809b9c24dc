import { InsecureHosts, pullEndpoints, type Endpoint, type Places } from './endpoint.ts';
import { login } from './login.ts';
import { Pings } from './pings.ts';
import { parseReference } from '#oci';
import type {
  RegistryAuth,
  RegistryClient,
  RegistryClientOptions,
  Repository,
  SearchResult,
} from './registry-client.ts';
import { RemoteRepository } from './remote-repository.ts';
import { search } from './search.ts';
import { Session, type SessionParts } from './session.ts';
import { Tokens } from './tokens.ts';
import { Transport, type TransportOptions } from './transport.ts';
import { CertificateFolders } from './trust.ts';
import type { RetryOptions } from './retry.ts';

/** Patience, all in milliseconds; the defaults suit the internet. */
export type RegistryPatience = Omit<TransportOptions, 'userAgent' | 'proxies'> & RetryOptions;

const defaultPatience: RegistryPatience = {
  connectTimeout: 15_000,
  stallTimeout: 60_000,
  keepAlive: 15_000,
  attempts: 3,
  firstDelay: 500,
  longestDelay: 30_000,
};

class HttpRegistryClient implements RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #places: Places;
  readonly #parts: SessionParts & { readonly transport: Transport };

  constructor(options: RegistryClientOptions, patience: RegistryPatience) {
    this.#options = options;
    this.#places = {
      insecure: new InsecureHosts(options.insecureRegistries),
      certificates: new CertificateFolders(options.certificateFolders ?? []),
    };
    const transport = new Transport({
      ...patience,
      userAgent: options.userAgent,
      ...(options.proxies && { proxies: options.proxies }),
    });
    this.#parts = {
      transport,
      pings: new Pings(transport),
      tokens: new Tokens(transport),
      retry: patience,
    };
  }

  repository(name: string, auth: RegistryAuth, scope: 'pull' | 'push,pull'): Repository {
    const { domain } = parseReference(name);
    let sessions: Promise<readonly Session[]> | undefined;
    const open = async (): Promise<readonly Session[]> => {
      const endpoints = await pullEndpoints(domain, this.#options.mirrors, this.#places);
      return endpoints.map((each) => new Session(this.#parts, each, each.isMirror ? mirrorAuth(each) : auth));
    };
    return new RemoteRepository({
      name,
      actions: scope,
      sessions: () => (sessions ??= open()),
      retry: this.#parts.retry,
    });
  }

  async login(server: string, auth: RegistryAuth, { signal }: { signal: AbortSignal }): Promise<string> {
    return await login(this.#parts, this.#places, server, auth, signal);
  }

  async search(
    domain: string,
    term: string,
    options: Parameters<RegistryClient['search']>[2],
  ): Promise<readonly SearchResult[]> {
    return await search(this.#parts.transport, this.#places, { domain, term, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.transport[Symbol.asyncDispose]();
  }
}

/** A mirror never sees the credentials for docker.io; its own may stand in its address. */
function mirrorAuth({ bases: [base] }: Endpoint): RegistryAuth {
  if (!base?.username) return {};
  return { username: decodeURIComponent(base.username), password: decodeURIComponent(base.password) };
}

/** A client for any registry of the distribution API. Opens no connection before it is asked to. */
export const createRegistryClient = (
  options: RegistryClientOptions & { readonly patience?: Partial<RegistryPatience> },
): RegistryClient => new HttpRegistryClient(options, { ...defaultPatience, ...options.patience });
