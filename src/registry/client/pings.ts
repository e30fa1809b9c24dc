import { SingleFlight } from '#kernel';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Endpoint } from './endpoint.ts';
import type { Transport } from './transport.ts';
import type { Trust } from './trust.ts';

/** Which of an endpoint's addresses answers, and what it asks for. */
export interface Ping {
  readonly base: URL;
  readonly challenges: readonly Challenge[];
  readonly trust: Trust;
}

/** Milliseconds for which the choice of an address holds. */
const lifetime = 10 * 60_000;

/** `GET /v2/` of each endpoint, remembered: HTTPS before HTTP costs a connection only once. */
export class Pings {
  readonly #transport: Transport;
  readonly #known = new Map<string, { readonly ping: Ping; readonly endsAt: number }>();
  readonly #flights = new SingleFlight<Ping>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Rejects with the last address's RegistryFailure. */
  async get(endpoint: Endpoint, signal: AbortSignal): Promise<Ping> {
    const key = keyOf(endpoint);
    const known = this.#known.get(key);
    if (known && known.endsAt > Date.now()) return known.ping;
    return await this.#flights.run(key, (shared) => this.#ping(endpoint, key, shared), signal);
  }

  /** After a failed connection: the registry may have moved between HTTP and HTTPS. */
  forget(endpoint: Endpoint): void {
    this.#known.delete(keyOf(endpoint));
  }

  async #ping(endpoint: Endpoint, key: string, signal: AbortSignal): Promise<Ping> {
    let failure: unknown;
    for (const base of endpoint.bases) {
      try {
        const url = new URL('v2/', base);
        const { trust } = endpoint;
        const answer = await this.#transport.send({ method: 'GET', url, signal, trust });
        await answer.discard();
        const challenges = answer.status === 401 ? parseChallenges(answer.headers['www-authenticate']) : [];
        const ping = { base, challenges, trust };
        if (answer.status < 500) this.#known.set(key, { ping, endsAt: Date.now() + lifetime });
        return ping;
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }
}

const keyOf = (endpoint: Endpoint): string =>
  [endpoint.trust.id, ...endpoint.bases.map((base) => base.href)].join(' ');
