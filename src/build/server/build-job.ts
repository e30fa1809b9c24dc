import { invalidArgument, unimplemented } from '#kernel';
import { parsePlatform } from '#oci';
import type { ContextStore } from '../contexts/context-store.ts';
import { sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import { ignoreFileNames, parseIgnoreFile } from '#patterns';
import type { BuildPlan, PlanOptions } from '../graph/plan-options.ts';
import type { Vertex } from '../graph/vertex.ts';
import type { BuildOutcome, Builds, ClientImages } from '../builds.ts';
import { readSourceText } from '../archive-context.ts';
import { Auth, Secrets } from '#buildkit';
import type { ClientSession } from './client-session.ts';
import { BuildProgress } from './progress.ts';

/** What a client asks the Dockerfile frontend for, by BuildKit's names of its options. */
export type FrontendOptions = Readonly<Record<string, string>>;

export interface JobParts {
  readonly builds: Builds;
  readonly contexts: ContextStore;
  readonly images: ClientImages;
}

/** What the Dockerfile frontend has read, before anything is built. */
export interface Prepared {
  readonly options: FrontendOptions;
  readonly name: string;
  readonly text: string;
  readonly ignorePatterns: readonly string[];
}

const transferPath = '/moby.filesync.v1.FileSync/DiffCopy';

/** One build of a client, from its `Solve` call to the end. */
export class BuildJob {
  readonly ref: string;
  readonly session: ClientSession;
  readonly signal: AbortSignal;
  readonly progress = new BuildProgress();
  readonly #parts: JobParts;
  readonly #returned = Promise.withResolvers<Prepared | undefined>();
  prepared: Prepared | undefined;

  constructor(ref: string, session: ClientSession, signal: AbortSignal, parts: JobParts) {
    this.ref = ref;
    this.session = session;
    this.signal = AbortSignal.any([signal, session.signal]);
    this.#parts = parts;
    this.#returned.promise.catch(() => undefined);
  }

  /** Resolves when the client has said what the result is to be; to nothing for a job that only asks questions. */
  async returned(): Promise<Prepared | undefined> {
    const { promise, reject } = this.#returned;
    const leave = (): void => reject(this.signal.reason as Error);
    this.signal.addEventListener('abort', leave, { once: true });
    if (this.signal.aborted) leave();
    return promise;
  }

  return(result: Prepared | undefined): void {
    this.#returned.resolve(result);
  }

  fail(error: Error): void {
    this.#returned.reject(error);
  }

  /** Fetches the Dockerfile and what is to be ignored. */
  async prepare(options: FrontendOptions): Promise<Prepared> {
    refuseUnsupported(options);
    const name = options['filename'] ?? 'Dockerfile';
    const [files, text] = await this.progress.during(
      `[internal] load build definition from ${name}`,
      async (step) => {
        const [own = ''] = ignoreFileNames(name);
        const paths = [name, own, name.toLowerCase()];
        const source = await this.#receive('dockerfile', { followpaths: paths }, options);
        const found =
          (await readSourceText(source, name)) ?? (await readSourceText(source, name.toLowerCase()));
        if (found === undefined)
          throw invalidArgument(`failed to read dockerfile: open ${name}: no such file or directory`);
        step.transferred('transferring dockerfile:', Buffer.byteLength(found), Buffer.byteLength(found));
        return [source, found] as const;
      },
    );
    const ignore = await this.progress.during('[internal] load .dockerignore', async () => {
      const own = await readSourceText(files, `${name}.dockerignore`);
      if (own !== undefined) return own;
      return readSourceText(
        await this.#receive('context', { followpaths: ['.dockerignore'] }, options),
        '.dockerignore',
      );
    });
    this.prepared = { options, name, text, ignorePatterns: parseIgnoreFile(ignore ?? '') };
    return this.prepared;
  }

  /** Builds what was prepared into an image with these names. */
  async build(prepared: Prepared, names: readonly string[]): Promise<BuildOutcome> {
    const { options, text, ignorePatterns } = prepared;
    let made: BuildPlan | undefined;
    const outcome = await this.#parts.builds.build({
      ...{ dockerfile: text, signal: this.signal, names },
      options: { ...planOptionsOf(options), ignorePatterns },
      base: {
        resolve: (reference, asked) =>
          this.progress.during(`[internal] load metadata for ${reference}`, () =>
            this.#parts.images.resolve(reference, {
              ...asked,
              credentials: (host) => this.#credentials(host),
            }),
          ),
      },
      pull: options['image-resolve-mode'] === 'pull',
      local: (name, paths) => this.#local(name, paths, prepared, made),
      secret: (id) => this.#secret(id),
      planned: (plan) => {
        made = plan;
        this.progress.warn(plan.warnings, { name: prepared.name, text });
        return this.progress.observe(plan);
      },
    });
    await this.progress.during('exporting to image', (step) => {
      step.did('exporting layers');
      step.did(`writing image ${outcome.id}`);
      for (const name of names) step.did(`naming to ${name}`);
      return Promise.resolve();
    });
    return outcome;
  }

  async #local(
    name: string,
    paths: readonly string[] | undefined,
    prepared: Prepared,
    plan: BuildPlan | undefined,
  ): Promise<SourceTree> {
    const filters = { 'exclude-patterns': prepared.ignorePatterns, ...(paths && { followpaths: paths }) };
    const isIt = (vertex: Vertex): boolean => vertex.kind === 'local' && vertex.name === name;
    const [id = ''] = [...(plan?.graph.vertices ?? [])].find(([, vertex]) => isIt(vertex)) ?? [];
    return this.#receive(name, filters, prepared.options, (received) =>
      this.progress.transferred(id, 'transferring context:', received),
    );
  }

  async #receive(
    name: string,
    filters: Readonly<Record<string, readonly string[]>>,
    options: FrontendOptions,
    onProgress?: (received: number) => void,
  ): Promise<SourceTree> {
    const { contexts } = this.#parts;
    const shared = this.session.introduction.sharedKey;
    const key = JSON.stringify([shared, options[`sharedkey:localdir:${name}`] ?? '', name]);
    const stream = this.session.openStream(transferPath, { 'dir-name': name, ...filters });
    const { signal } = this;
    const tree = await contexts.receive(stream, { key, signal, ...(onProgress && { onProgress }) });
    return sourceOfContext(tree, (digest) => contexts.path(digest));
  }

  async #secret(id: string): Promise<Uint8Array | undefined> {
    if (!this.session.offers('/moby.buildkit.secrets.v1.Secrets/GetSecret')) return undefined;
    try {
      return (await this.session.client(Secrets).getSecret({ id }, { signal: this.signal })).data;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #credentials(host: string): Promise<{ username: string; password: string } | undefined> {
    if (!this.session.offers('/moby.filesync.v1.Auth/Credentials')) return undefined;
    const { username, secret } = await this.session
      .client(Auth)
      .credentials({ host }, { signal: this.signal });
    return secret === '' ? undefined : { username, password: secret };
  }
}

const isNotFound = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 5; // gRPC's NOT_FOUND

function refuseUnsupported(options: FrontendOptions): void {
  const refuse = (what: string): never => {
    throw unimplemented(`${what} is not supported yet`);
  };
  if (options['context'] !== undefined) refuse('a remote build context');
  if ((options['platform'] ?? '').includes(',')) refuse('building for several platforms');
  if (options['requestid'] !== undefined) refuse(`the request ${options['requestid']}`);
  for (const name of Object.keys(options)) if (name.startsWith('attest:')) refuse('attaching attestations');
}

/** Options with a prefix, by what follows it. */
const prefixed = (options: FrontendOptions, prefix: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

function planOptionsOf(options: FrontendOptions): PlanOptions {
  const network = options['force-network-mode'];
  const noCache = options['no-cache'];
  return {
    ...(options['target'] !== undefined && { target: options['target'] }),
    buildArguments: prefixed(options, 'build-arg:'),
    labels: prefixed(options, 'label:'),
    contexts: prefixed(options, 'context:'),
    ...(options['platform'] && { platform: parsePlatform(options['platform']) }),
    ...(options['hostname'] !== undefined && { hostname: options['hostname'] }),
    ...(noCache !== undefined && { noCache: noCache === '' ? ('all' as const) : noCache.split(',') }),
    ...((network === 'host' || network === 'none') && { network }),
  };
}
