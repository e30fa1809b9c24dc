import { notFound, type Clock } from '#kernel';
import type { RegistryAuth, RegistryClient, Repository } from '#registry/client';

/** Repositories that are copies of another registry's. */
export interface UpstreamRule {
  /** Of the names here; '' is every repository that no longer prefix claims. */
  readonly prefix: string;
  /** `docker.io`, `ghcr.io/team`: what takes the prefix's place. undefined: these are kept here, and pushed to. */
  readonly registry: string | undefined;
  readonly auth: RegistryAuth;
  /** Milliseconds for which a tag is taken to be where it was. */
  readonly ttl: number;
}

/** Nanoseconds for which an upstream that did not answer is not asked again. */
const pause = 10_000_000_000n;

/** One of them, and whether it is reached. */
export class Upstream {
  readonly rule: UpstreamRule;
  readonly registry: string;
  readonly #client: RegistryClient;
  readonly #clock: Clock;
  #silentUntil = 0n;

  constructor(rule: UpstreamRule, registry: string, client: RegistryClient, clock: Clock) {
    this.rule = rule;
    this.registry = registry;
    this.#client = client;
    this.#clock = clock;
  }

  get isSilent(): boolean {
    return this.#clock.now() < this.#silentUntil;
  }

  answered(): void {
    this.#silentUntil = 0n;
  }

  failed(): void {
    this.#silentUntil = this.#clock.now() + pause;
  }

  /** Throws notFound for a name that cannot be one of the upstream's. */
  repository(name: string): Repository {
    const { prefix, auth } = this.rule;
    const rest = prefix === '' ? name : name.slice(prefix.length + 1);
    if (rest === '') throw notFound(`repository ${name} is the prefix of ${this.registry} itself`);
    return this.#client.repository(`${this.registry}/${rest}`, auth, 'pull');
  }
}

/** Whose copy a repository is. */
export class Upstreams {
  /** The longest prefix first. */
  readonly #all: readonly { readonly prefix: string; readonly upstream: Upstream | undefined }[];

  constructor(rules: readonly UpstreamRule[], client: RegistryClient, clock: Clock) {
    this.#all = rules
      .toSorted((one, other) => other.prefix.length - one.prefix.length)
      .map((rule) => ({
        prefix: rule.prefix,
        upstream: rule.registry === undefined ? undefined : new Upstream(rule, rule.registry, client, clock),
      }));
  }

  /** undefined: the repository is this registry's own. */
  find(repository: string): Upstream | undefined {
    return this.#all.find(
      ({ prefix }) => prefix === '' || repository === prefix || repository.startsWith(`${prefix}/`),
    )?.upstream;
  }
}
