import { invalidArgument } from '#kernel';
import type { ContextStore } from '../contexts/context-store.ts';
import type { ExportResponse, Exporter } from '../export/exporter.ts';
import type { SourceTree } from '../files/source-tree.ts';
import { ignoreFileNames, parseIgnoreFile } from '#patterns';
import type { Vertex } from '../graph/vertex.ts';
import type { Builds, BuildPlans, ClientImages } from '../builds.ts';
import { readSourceText } from '../archive-context.ts';
import { ClientFiles, type BuildFiles, type FileFilters } from './client-files.ts';
import type { ClientSession } from './client-session.ts';
import { planOptionsOf, platformsOf, refuseUnsupported, type FrontendOptions } from './frontend-options.ts';
import { BuildProgress } from './progress.ts';

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

/** Where a build's files come from: the client's session, or what it has sent already. */
export interface JobClient {
  readonly session: ClientSession | undefined;
  /** In place of those of the session. */
  readonly files?: BuildFiles;
}

/** One build of a client, from its `Solve` call to the end. */
export class BuildJob {
  readonly ref: string;
  readonly session: ClientSession | undefined;
  readonly signal: AbortSignal;
  readonly progress = new BuildProgress();
  readonly files: BuildFiles;
  readonly #parts: JobParts;
  readonly #returned = Promise.withResolvers<Prepared | undefined>();
  prepared: Prepared | undefined;

  constructor(ref: string, { session, files }: JobClient, signal: AbortSignal, parts: JobParts) {
    this.ref = ref;
    this.session = session;
    this.signal = session ? AbortSignal.any([signal, session.signal]) : signal;
    this.#parts = parts;
    const asked = files ?? (session && new ClientFiles(session, parts.contexts, this.signal));
    if (!asked) throw invalidArgument('a build needs a session or a context');
    this.files = asked;
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

  /** Builds what was prepared, and makes of it what the exporters make. */
  async build(prepared: Prepared, exporters: readonly Exporter[]): Promise<ExportResponse> {
    const { options, text, ignorePatterns } = prepared;
    let made: BuildPlans | undefined;
    return this.#parts.builds.build({
      ...{ dockerfile: text, signal: this.signal, exporters },
      options: { ...planOptionsOf(options), ignorePatterns },
      platforms: platformsOf(options),
      base: {
        resolve: (reference, asked) =>
          this.progress.during(`[internal] load metadata for ${reference}`, () =>
            this.#parts.images.resolve(reference, {
              ...asked,
              credentials: (host) => this.files.credentials(host),
            }),
          ),
      },
      pull: options['image-resolve-mode'] === 'pull',
      local: (name, paths) => this.#local(name, paths, prepared, made),
      secret: (id) => this.files.secret(id),
      planned: (plans) => {
        made = plans;
        this.progress.warn(plans.plans[0]?.warnings ?? [], { name: prepared.name, text });
        return this.progress.observe(plans.graph);
      },
      exporting: (title, work) => this.progress.during(title, work),
    });
  }

  async #local(
    name: string,
    paths: readonly string[] | undefined,
    prepared: Prepared,
    plans: BuildPlans | undefined,
  ): Promise<SourceTree> {
    const filters = { 'exclude-patterns': prepared.ignorePatterns, ...(paths && { followpaths: paths }) };
    const isIt = (vertex: Vertex): boolean => vertex.kind === 'local' && vertex.name === name;
    const [id = ''] = [...(plans?.graph.vertices ?? [])].find(([, vertex]) => isIt(vertex)) ?? [];
    return this.#receive(name, filters, prepared.options, (received) =>
      this.progress.transferred(id, 'transferring context:', received),
    );
  }

  async #receive(
    name: string,
    filters: FileFilters,
    options: FrontendOptions,
    onProgress?: (received: number) => void,
  ): Promise<SourceTree> {
    const sharedKey = options[`sharedkey:localdir:${name}`] ?? '';
    return this.files.receive(name, { filters, sharedKey, ...(onProgress && { onProgress }) });
  }
}
