import { KeyedLock } from '#kernel';
import { Transport, type RegistryProxies } from '#registry/client';
import type { ContextStore } from '../contexts/context-store.ts';
import { sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import type { GitVertex, HttpVertex } from '../graph/vertex.ts';
import { GitRepositories, type CheckoutOptions } from './git-repositories.ts';
import { HttpSource, type DownloadOptions } from './http-source.ts';
import {
  openRemoteContext,
  receiveUpload,
  type RemoteContext,
  type RemoteOptions,
} from './remote-context.ts';

export interface SourcesOptions {
  readonly userAgent: string;
  /** As they are configured now. */
  proxies(): RegistryProxies;
}

export type FetchOptions = CheckoutOptions & DownloadOptions;

/** What builds take from the network, kept as the contexts of clients are. */
export class Sources {
  readonly #contexts: ContextStore;
  readonly #http: HttpSource;
  readonly #git: GitRepositories;

  constructor(contexts: ContextStore, options: SourcesOptions) {
    this.#contexts = contexts;
    const { userAgent } = options;
    const connect = (): Transport =>
      new Transport({
        ...{ userAgent, proxies: options.proxies() },
        ...{ connectTimeout: 30_000, stallTimeout: 120_000, keepAlive: 4_000 },
      });
    const locks = new KeyedLock();
    this.#http = new HttpSource(contexts, connect, locks);
    this.#git = new GitRepositories(contexts, locks, () => options.proxies());
  }

  /** The files that an ADD, or a named context, takes from elsewhere. */
  async fetch(vertex: GitVertex | HttpVertex, options: FetchOptions): Promise<SourceTree> {
    const tree =
      vertex.kind === 'git'
        ? await this.#git.checkOut(vertex, options)
        : await this.#http.fetch(vertex, options);
    return sourceOfContext(tree, this.#contexts.files);
  }

  /** What a build's context given by address is. */
  async open(address: string, options: RemoteOptions): Promise<RemoteContext> {
    return openRemoteContext(
      { contexts: this.#contexts, http: this.#http, git: this.#git },
      address,
      options,
    );
  }

  /** The same for what a client hands over as one stream of bytes. */
  async receive(
    bytes: AsyncIterable<Uint8Array>,
    options: { readonly signal: AbortSignal },
  ): Promise<RemoteContext> {
    return receiveUpload(this.#contexts, bytes, options);
  }
}
