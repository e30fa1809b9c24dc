import { PatternMatcher } from '#patterns';
import type { RegistryAuth } from '#registry/client';
import { withoutIgnored } from '../archive-context.ts';
import type { ContextStore } from '../contexts/context-store.ts';
import type { Tree } from '../contexts/tree.ts';
import { sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import type { ClientAgent } from '../solver/ports.ts';
import type { BuildFiles, ReceiveOptions } from './client-files.ts';

/** A context that came with the request; what else a build asks for comes from the session, if there is one. */
export class ArchiveFiles implements BuildFiles {
  readonly #tree: Tree;
  readonly #contexts: ContextStore;
  readonly #session: BuildFiles | undefined;

  constructor(tree: Tree, contexts: ContextStore, session: BuildFiles | undefined) {
    this.#tree = tree;
    this.#contexts = contexts;
    this.#session = session;
  }

  receive(_name: string, { filters }: ReceiveOptions): Promise<SourceTree> {
    const kept = withoutIgnored(this.#tree, new PatternMatcher(filters['exclude-patterns'] ?? []));
    return Promise.resolve(sourceOfContext(kept, this.#contexts.files));
  }

  async secret(id: string): Promise<Uint8Array | undefined> {
    return this.#session?.secret(id);
  }

  async agent(id: string): Promise<ClientAgent | undefined> {
    return this.#session?.agent(id);
  }

  async credentials(host: string): Promise<RegistryAuth | undefined> {
    return this.#session?.credentials(host);
  }
}
