import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalContentStore, type ContentStore } from '#content';
import { KeyedLock, type Clock, type Logger } from '#kernel';
import { AccessControl, type Action, type Caller } from './access.ts';
import { json, type Answer, type Call, type TextAnswer } from './answer.ts';
import { Blobs, digestFrom } from './blobs.ts';
import { rehearse } from './administration/rehearsal.ts';
import { collect, type Collected, type CollectorOptions } from './collector.ts';
import { fail, send, urlOf } from './exchange.ts';
import { Manifests } from './manifests.ts';
import { accessRecord } from './observation/access-log.ts';
import { freeSpace, health } from './observation/health.ts';
import { Metrics } from './observation/metrics.ts';
import { Transfer } from './observation/transfer.ts';
import { BrowserPages } from './page/browser-pages.ts';
import { page, pageOf } from './pages.ts';
import { Policies, type PolicySettings } from './policies.ts';
import { openPullThrough, type PullThrough } from './proxy/pull-through.ts';
import type { ProxySettings } from './proxy/proxy-file.ts';
import { nameUnknown, unsupported } from './registry-error.ts';
import { RegistryStore } from './registry-store.ts';
import { lockFolder } from './registry-folder.ts';
import { parseTarget, type Target } from './request-target.ts';
import type { RetentionPlan } from './retention/plan.ts';
import type { RetentionRun } from './retention/retention.ts';
import type { RepositorySummary } from './inventory.ts';
import { OutsideTokens, type TokenServiceSettings } from './tokens/token-service.ts';
import { Uploads } from './uploads.ts';

export interface RegistryServerOptions extends PolicySettings {
  /** A folder of its own: blobs as an OCI layout, `registry.db`. */
  readonly root: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Manifests are taken although some of what they refer to is not there. */
  readonly sparseManifests?: boolean;
  /** An outside service that gives tokens for this registry. */
  readonly tokenService?: TokenServiceSettings | undefined;
  /** Repositories that are copies of other registries'. */
  readonly proxy?: ProxySettings | undefined;
  /** Milliseconds after which a connection on which nothing moves is closed; 120,000 where nothing is said. */
  readonly stallTimeout?: number;
  /** PEM texts. */
  readonly tls?: TlsIdentity | undefined;
  /** Without it, browsers are shown nothing. */
  readonly page?: boolean | undefined;
  /** Metrics tell of the process too; for one registry in a process. */
  readonly processMetrics?: boolean | undefined;
  /** Milliseconds until a notification that failed is sent again; a second where nothing is said. */
  readonly firstPause?: number | undefined;
}

/** PEM texts. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** What a repository holds, and how much it may. */
export interface RepositoryUsage extends RepositorySummary {
  /** bytes */
  readonly quota: number | undefined;
}

/** An OCI distribution 1.1 server. */
export interface RegistryServer extends AsyncDisposable {
  /** Resolves to the port once requests are served. */
  listen(options: { readonly host: string; readonly port: number }): Promise<number>;
  collect(options: { readonly graceMs: number; readonly untagged: boolean }): Promise<Collected>;
  /** Applies the retention rules. */
  retain(run: RetentionRun): Promise<readonly RetentionPlan[]>;
  /** What collect() would remove after a dry run of retain(). */
  rehearse(options: CollectorOptions, plans: readonly RetentionPlan[]): Collected;
  usage(): readonly RepositoryUsage[];
  /** Other rules, users and certificates, without an end of the service. */
  reconfigure(settings: PolicySettings, tls: TlsIdentity | undefined): Promise<void>;
  health(): Promise<TextAnswer>;
  metrics(): Promise<TextAnswer>;
}

/** Throws conflict while another registry serves the folder. */
export async function createRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  await mkdir(options.root, { recursive: true, mode: 0o700 });
  const lock = lockFolder(options.root);
  try {
    const content = createLocalContentStore({ root: join(options.root, 'content'), clock: options.clock });
    await content.start();
    return new DistributionServer(options, content, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

class DistributionServer implements RegistryServer {
  readonly #options: RegistryServerOptions;
  readonly #content: ContentStore;
  readonly #store: RegistryStore;
  readonly #uploads: Uploads;
  readonly #digests = new KeyedLock();
  readonly #blobs: Blobs;
  readonly #manifests: Manifests;
  readonly #access: AccessControl;
  readonly #copies: PullThrough | undefined;
  readonly #server: Server;
  readonly #policies: Policies;
  readonly #metrics: Metrics;
  readonly #pages: BrowserPages;
  readonly #lock: Disposable;

  constructor(options: RegistryServerOptions, content: ContentStore, lock: Disposable) {
    const { root, clock, logger, tls } = options;
    this.#lock = lock;
    this.#metrics = new Metrics({ process: options.processMetrics ?? false });
    this.#options = options;
    this.#content = content;
    this.#store = new RegistryStore(join(root, 'registry.db'), clock);
    this.#access = new AccessControl(
      clock,
      options.authenticator,
      options.rules,
      options.tokenService && new OutsideTokens(options.tokenService, clock),
    );
    const [store, access] = [this.#store, this.#access];
    const { firstPause } = options;
    this.#policies = new Policies(
      { store, access, metrics: this.#metrics, clock, logger, firstPause },
      options,
    );
    const { quotas } = this.#policies;
    this.#uploads = new Uploads(content, store, quotas);
    const parts = { content, store, uploads: this.#uploads, digests: this.#digests, quotas };
    this.#blobs = new Blobs(parts);
    this.#manifests = new Manifests({
      ...parts,
      sparse: options.sparseManifests ?? false,
      observer: this.#policies,
      isImmutable: (...tag) => this.#policies.isImmutable(...tag),
    });
    this.#copies = options.proxy && openPullThrough({ ...parts, clock, logger }, options.proxy);
    const { inventory } = this.#policies;
    this.#pages = new BrowserPages({
      store,
      access,
      content,
      clock,
      inventory,
      quotas,
      policies: this.#policies,
      manifests: this.#manifests,
    });
    // Blobs take as long as they take.
    const settings = { requestTimeout: 0, keepAliveTimeout: 60_000, noDelay: true };
    this.#server = tls ? createTlsServer({ ...settings, ...tls }) : createServer(settings);
    // Node's own switch, which its types leave out: who hangs up its side after a request still gets the answer.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#server.setTimeout(options.stallTimeout ?? 120_000);
    this.#server.on('request', (request, response) => void this.#serve(request, response));
  }

  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    const bound = typeof address === 'object' && address ? address.port : port;
    await this.#policies.configure(this.#options, bound);
    return bound;
  }

  async retain(run: RetentionRun): Promise<readonly RetentionPlan[]> {
    const plans = await this.#policies.retention.run(run);
    if (run.dryRun) return plans;
    const removed = plans.flatMap(({ tags }) => tags.filter(({ kept }) => !kept)).length;
    this.#metrics.retired(removed, plans.flatMap(({ manifests }) => manifests).length);
    return plans;
  }

  rehearse(options: CollectorOptions, plans: readonly RetentionPlan[]): Collected {
    const { inventory } = this.#policies;
    return rehearse({ store: this.#store, inventory, now: this.#options.clock.now() }, options, plans);
  }

  usage(): readonly RepositoryUsage[] {
    const { inventory, quotas } = this.#policies;
    return inventory.names().flatMap((name) => {
      const summary = inventory.summary(name);
      return summary ? [{ ...summary, quota: quotas.limit(name) }] : [];
    });
  }

  async reconfigure(settings: PolicySettings, tls: TlsIdentity | undefined): Promise<void> {
    await this.#policies.configure(settings, undefined);
    this.#pages.forgetSessions();
    if (tls && this.#server instanceof TlsServer) this.#server.setSecureContext(tls);
  }

  async health(): Promise<TextAnswer> {
    const { root } = this.#options;
    const probe = (): void => void this.#store.repositories('', 1);
    return await health({ root, readOnly: this.#policies.readOnly, probe });
  }

  async metrics(): Promise<TextAnswer> {
    const { inventory, notifier, readOnly } = this.#policies;
    const limited = this.usage().flatMap(({ name, size, quota }) =>
      quota === undefined ? [] : [{ repository: name, used: size, limit: quota }],
    );
    const body = await this.#metrics.text({
      totals: inventory.totals(),
      freeSpace: await freeSpace(this.#options.root),
      readOnly,
      quotas: limited,
      waiting: notifier.waiting(),
    });
    return { status: 200, headers: { 'Content-Type': this.#metrics.contentType }, body };
  }

  async collect(options: { readonly graceMs: number; readonly untagged: boolean }): Promise<Collected> {
    const { clock } = this.#options;
    const parts = {
      content: this.#content,
      store: this.#store,
      uploads: this.#uploads,
      digests: this.#digests,
      clock,
    };
    this.#copies?.evict();
    const collected = await collect(parts, options);
    this.#metrics.collected(collected);
    return collected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await this.#copies?.[Symbol.asyncDispose]();
    await this.#policies[Symbol.asyncDispose]();
    await this.#uploads[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
    this.#metrics[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const transfer = new Transfer(request, response, this.#metrics);
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    const id = randomUUID();
    let user: string | undefined;
    try {
      const url = urlOf(request);
      const method = request.method ?? 'GET';
      const call: Call = { request, method, query: url.searchParams, id, user: undefined };
      const aside = await this.#beside(call, url.pathname);
      if (aside) {
        await send(call, response, aside);
      } else {
        const caller = await this.#access.identify(request);
        user = caller.user;
        const known = { ...call, user };
        await send(known, response, await this.#answer(known, url.pathname, caller));
      }
    } catch (error) {
      fail(response, error, this.#options.logger);
    }
    this.#options.logger.info(accessRecord(request, response, { id, user, ...transfer.end() }), 'request');
  }

  /** What is not of the distribution API; undefined: nothing, then. */
  async #beside(call: Call, path: string): Promise<Answer | undefined> {
    if (path === '/token') return await this.#access.token(call.request);
    if (path === '/healthz') return await this.health();
    if (this.#options.page !== true || path.startsWith('/v2/') || path === '/v2') return undefined;
    return await this.#pages.answer(call, path);
  }

  async #answer(call: Call, path: string, caller: Caller): Promise<Answer> {
    const target = parseTarget(path);
    if (!target) return { status: 404, headers: { 'Content-Length': 0 } };
    this.#admit(call, target, caller);
    const local = (): Promise<Answer> => this.#local(call, target, caller);
    return await (this.#copies ? this.#copies.answer(call, target, local) : local());
  }

  async #local(call: Call, target: Target, caller: Caller): Promise<Answer> {
    switch (target.kind) {
      case 'base':
        return json({});
      case 'catalog':
        return this.#catalog(call, caller);
      case 'tags':
        return this.#tags(call, target.repository);
      case 'blob':
        return await this.#blobs.blob(call, target.repository, digestFrom(target.digest));
      case 'uploads':
        return await this.#blobs.begin(call, target.repository, (from) =>
          this.#access.may(caller, 'pull', from),
        );
      case 'upload':
        return await this.#blobs.upload(call, target.repository, target.id);
      case 'manifest':
        return await this.#manifests.manifest(call, target.repository, target.reference);
      case 'referrers':
        return this.#manifests.referrers(call, target.repository, digestFrom(target.digest));
    }
  }

  #admit(call: Call, target: Target, caller: Caller): void {
    const { method } = call;
    const action = actionOf(method, target);
    if (this.#policies.readOnly && action !== 'pull') throw unsupported('this registry is read-only');
    if ('repository' in target) this.#access.check(call.request, caller, action, target.repository);
    else {
      const scope = target.kind === 'catalog' ? 'registry:catalog:*' : undefined;
      this.#access.requireKnown(call.request, caller, scope);
    }
  }

  #catalog(call: Call, caller: Caller): Answer {
    const { limit, last } = pageOf(call);
    const found: string[] = [];
    // What somebody may not pull is not shown to them.
    for (let after = last; found.length <= limit;) {
      const names = this.#store.repositories(after, limit + 1);
      found.push(...names.filter((name) => this.#access.maySee(caller, name)));
      after = names.at(-1) ?? after;
      if (names.length <= limit) break;
    }
    return page('/v2/_catalog', limit, found.slice(0, limit + 1), (repositories) => ({ repositories }));
  }

  #tags(call: Call, repository: string): Answer {
    const { limit, last } = pageOf(call);
    const found = this.#store.tags(repository, last, limit + 1);
    if (!found) throw nameUnknown(repository);
    return page(`/v2/${repository}/tags/list`, limit, found, (tags) => ({ name: repository, tags }));
  }
}

function actionOf(method: string, target: Target): Action {
  if (target.kind === 'uploads' || target.kind === 'upload') return 'push';
  if (method === 'DELETE') return 'delete';
  return method === 'GET' || method === 'HEAD' ? 'pull' : 'push';
}
