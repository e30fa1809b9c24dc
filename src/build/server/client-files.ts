import { Secrets } from '#buildkit';
import type { RegistryAuth } from '#registry/client';
import type { ContextStore } from '../contexts/context-store.ts';
import { ClientTree } from '../files/client-tree.ts';
import { sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import type { ClientAgent } from '../solver/ports.ts';
import { clientCredentials } from './client-credentials.ts';
import { findClientAgent } from './client-agent.ts';
import { isNotFound, type ClientSession } from './client-session.ts';

/** Which of a set of files is wanted, by the names of BuildKit's transfer: `followpaths`, `exclude-patterns`. */
export type FileFilters = Readonly<Record<string, readonly string[]>>;

export interface ReceiveOptions {
  readonly filters: FileFilters;
  /** Set by clients for a folder that several of their sessions share. */
  readonly sharedKey?: string;
  /** Called with the bytes that have come so far. */
  readonly onProgress?: (received: number) => void;
}

/** What a build asks its client for: files, secrets, credentials. */
export interface BuildFiles {
  /** Receives a set of files, `context` or `dockerfile` or what a client calls its others. */
  receive(name: string, options: ReceiveOptions): Promise<SourceTree>;
  /** Undefined where the client has no secret of that name. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Undefined where the client forwards no agent of that name. */
  agent(id: string): Promise<ClientAgent | undefined>;
  /** For the registry on a host; undefined where the client has none. */
  credentials(host: string): Promise<RegistryAuth | undefined>;
}

const transferPath = '/moby.filesync.v1.FileSync/DiffCopy';

/** Asks over the client's session. */
export class ClientFiles implements BuildFiles {
  readonly #session: ClientSession;
  readonly #contexts: ContextStore;
  readonly #signal: AbortSignal;

  constructor(session: ClientSession, contexts: ContextStore, signal: AbortSignal) {
    this.#session = session;
    this.#contexts = contexts;
    this.#signal = signal;
  }

  async receive(name: string, { filters, sharedKey = '', onProgress }: ReceiveOptions): Promise<SourceTree> {
    // What is wanted of a folder is a part of the key: a few files of it are not taken for the whole the next time.
    const wanted = filters['followpaths'] ?? [];
    const key = JSON.stringify([this.#session.introduction.sharedKey, sharedKey, name, wanted]);
    const stream = this.#session.openStream(transferPath, { 'dir-name': name, ...filters });
    const options = { key, signal: this.#signal, ...(onProgress && { onProgress }) };
    const contexts = this.#contexts;
    const received = await contexts.receive(stream, options);
    const load = (): SourceTree => sourceOfContext(received.open(), contexts.files);
    return new ClientTree(received.digest, load, contexts.copies);
  }

  async secret(id: string): Promise<Uint8Array | undefined> {
    if (!this.#session.offers('/moby.buildkit.secrets.v1.Secrets/GetSecret')) return undefined;
    try {
      return (await this.#session.client(Secrets).getSecret({ id }, { signal: this.#signal })).data;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  agent(id: string): Promise<ClientAgent | undefined> {
    return findClientAgent(this.#session, id, this.#signal);
  }

  credentials(host: string): Promise<RegistryAuth | undefined> {
    return clientCredentials(this.#session, host, this.#signal);
  }
}
