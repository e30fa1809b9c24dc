import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createLocalContentStore, type ContentStore } from '#content';
import { errnoOf, KeyedLock, messageOf, type Clock, type Logger } from '#kernel';
import {
  AccessControl,
  matches,
  type AccessRule,
  type Action,
  type Authenticator,
  type Caller,
} from './access.ts';
import { json, type Answer, type Call } from './answer.ts';
import { Blobs, digestFrom } from './blobs.ts';
import { collect, type Collected } from './collector.ts';
import { Manifests } from './manifests.ts';
import { page, pageOf } from './pages.ts';
import { nameInvalid, nameUnknown, RegistryError, unsupported } from './registry-error.ts';
import { RegistryStore } from './registry-store.ts';
import { parseTarget, type Target } from './request-target.ts';
import { Uploads } from './uploads.ts';

export interface RegistryServerOptions {
  /** A folder of its own: blobs as an OCI layout, `registry.db`. */
  readonly root: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly authenticator?: Authenticator | undefined;
  readonly rules?: readonly AccessRule[] | undefined;
  readonly readOnly?: boolean;
  /** `repository:tag` patterns whose tags are never moved nor removed. */
  readonly immutableTags?: readonly string[];
  /** Manifests are taken although some of what they refer to is not there. */
  readonly sparseManifests?: boolean;
  /** Milliseconds after which a connection on which nothing moves is closed; 120,000 where nothing is said. */
  readonly stallTimeout?: number;
  /** PEM texts. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
}

/** An OCI distribution 1.1 server. */
export interface RegistryServer extends AsyncDisposable {
  /** Resolves to the port once requests are served. */
  listen(options: { readonly host: string; readonly port: number }): Promise<number>;
  collect(options: { readonly graceMs: number; readonly untagged: boolean }): Promise<Collected>;
}

export async function createRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  await mkdir(options.root, { recursive: true, mode: 0o700 });
  const content = createLocalContentStore({ root: join(options.root, 'content'), clock: options.clock });
  await content.start();
  return new DistributionServer(options, content);
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
  readonly #server: Server;

  constructor(options: RegistryServerOptions, content: ContentStore) {
    const { root, clock, authenticator, rules, immutableTags = [], tls } = options;
    this.#options = options;
    this.#content = content;
    this.#store = new RegistryStore(join(root, 'registry.db'), clock);
    this.#uploads = new Uploads(content, this.#store);
    this.#access = new AccessControl(clock, authenticator, rules);
    const parts = { content, store: this.#store, uploads: this.#uploads, digests: this.#digests };
    this.#blobs = new Blobs(parts);
    this.#manifests = new Manifests({
      ...parts,
      sparse: options.sparseManifests ?? false,
      isImmutable: (repository, tag) => immutableTags.some(matches(`${repository}:${tag}`)),
    });
    // Blobs take as long as they take.
    const settings = { requestTimeout: 0, keepAliveTimeout: 60_000, noDelay: true };
    this.#server = tls ? createTlsServer({ ...settings, ...tls }) : createServer(settings);
    this.#server.setTimeout(options.stallTimeout ?? 120_000);
    this.#server.on('request', (request, response) => void this.#serve(request, response));
  }

  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
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
    return await collect(parts, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await this.#uploads[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = Date.now();
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    let user: string | undefined;
    try {
      const url = urlOf(request);
      const call = { request, method: request.method ?? 'GET', query: url.searchParams };
      if (url.pathname === '/token') {
        await send(call, response, await this.#access.token(request));
      } else {
        const caller = await this.#access.identify(request);
        user = caller.user;
        await send(call, response, await this.#answer(call, url.pathname, caller));
      }
    } catch (error) {
      this.#fail(response, error);
    }
    const { method, url } = request;
    const ms = Date.now() - began;
    this.#options.logger.info({ method, url, user, status: response.statusCode, ms }, 'request');
  }

  async #answer(call: Call, path: string, caller: Caller): Promise<Answer> {
    const target = parseTarget(path);
    if (!target) return { status: 404, headers: { 'Content-Length': 0 } };
    this.#admit(call, target, caller);
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
    if (this.#options.readOnly && action !== 'pull') throw unsupported('this registry is read-only');
    if ('repository' in target) this.#access.check(call.request, caller, action, target.repository);
    else this.#access.requireKnown(call.request, caller);
  }

  #catalog(call: Call, caller: Caller): Answer {
    const { limit, last } = pageOf(call);
    const found: string[] = [];
    // What somebody may not pull is not shown to them.
    for (let after = last; found.length <= limit;) {
      const names = this.#store.repositories(after, limit + 1);
      found.push(...names.filter((name) => this.#access.may(caller, 'pull', name)));
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

  #fail(response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) {
      // Too late for a status: the missing end tells the client.
      response.destroy();
      return;
    }
    const known = error instanceof RegistryError ? error : undefined;
    if (!known && errnoOf(error) !== 'ECONNRESET') {
      this.#options.logger.error({ error: messageOf(error) }, 'request failed');
    }
    const failure = { code: known?.code ?? 'UNKNOWN', message: messageOf(error), detail: known?.detail };
    const body = JSON.stringify({ errors: [failure] });
    response.writeHead(known?.status ?? 500, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...known?.headers,
    });
    response.end(body);
  }
}

/** The address with its path decoded. Throws NAME_INVALID for one that is none. */
function urlOf({ url = '/' }: IncomingMessage): {
  readonly pathname: string;
  readonly searchParams: URLSearchParams;
} {
  try {
    const { pathname, searchParams } = new URL(`http://registry${url.startsWith('/') ? url : `/${url}`}`);
    return { pathname: decodeURIComponent(pathname), searchParams };
  } catch {
    throw nameInvalid(url);
  }
}

function actionOf(method: string, target: Target): Action {
  if (target.kind === 'uploads' || target.kind === 'upload') return 'push';
  if (method === 'DELETE') return 'delete';
  return method === 'GET' || method === 'HEAD' ? 'pull' : 'push';
}

async function send(call: Call, response: ServerResponse, answer: Answer): Promise<void> {
  response.writeHead(answer.status, answer.headers);
  const { body } = answer;
  if (body === undefined || call.method === 'HEAD') response.end();
  else if (typeof body === 'function') await pipeline(await body(), response);
  else response.end(body);
}
