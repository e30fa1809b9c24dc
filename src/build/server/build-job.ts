import { formatTime, newId, invalidArgument, type Clock } from '#kernel';
import { noCaches, type CacheRequest } from '../cache/build-caches.ts';
import { attestOptionsOf, type AttestOptions } from '../attest/attest-options.ts';
import type { BuildInvocation } from '../attest/provenance/facts.ts';
import { findingsOf, type BuildFindings } from '../history/build-findings.ts';
import type { ContextStore } from '../contexts/context-store.ts';
import type { BuiltPlatform } from '../export/built-platform.ts';
import type { Built, ExportResponse, Exporter } from '../export/exporter.ts';
import type { BuildPlan } from '../graph/plan-options.ts';
import type { SourceTree } from '../files/source-tree.ts';
import { ignoreFileNames, parseIgnoreFile } from '#patterns';
import type { Vertex } from '../graph/vertex.ts';
import type { ClientImages } from '../base-images.ts';
import type { BuildInput, BuildPlans, BuildRequest, Builds, PlanRequest } from '../build-request.ts';
import type { Sources } from '../sources/sources.ts';
import type { Answer } from '../subrequests/answer.ts';
import { readSourceText } from '../archive-context.ts';
import { openContext, type ForeignFiles } from './open-context.ts';
import { ClientFiles, type BuildFiles, type FileFilters } from './client-files.ts';
import type { Entitlements } from '../entitlements.ts';
import type { ClientSession } from './client-session.ts';
import { planOptionsOf, platformsOf, type FrontendOptions } from './frontend-options.ts';
import type { DefinitionParts } from './definitions.ts';
import { JobBases } from './job-bases.ts';
import { References } from './references.ts';
import { checkSyntax } from './frontend-choice.ts';
import { debugOption, explainOption, identityOf, isExplained } from './explain-option.ts';
import { leakWarning } from '../leaks/leak-warning.ts';
import { limitsOf } from './limit-options.ts';
import { BuildProgress } from './progress.ts';
import { answerSubrequest, isAboutText } from '../subrequests/answer-subrequest.ts';

export interface JobParts {
  readonly builds: Builds;
  readonly contexts: ContextStore;
  readonly sources: Sources;
  readonly images: ClientImages;
  readonly clock: Clock;
  /** Of the engine. */
  readonly version: string;
}

/** What the Dockerfile frontend has read, before anything is built. */
export interface Prepared {
  readonly options: FrontendOptions;
  readonly name: string;
  readonly text: string;
  readonly ignorePatterns: readonly string[];
  readonly attest: AttestOptions;
  readonly foreign: ForeignFiles;
}

/** Where a build's files come from: the client's session, or what it has sent already. */
export interface JobClient {
  readonly session: ClientSession | undefined;
  /** In place of those of the session. */
  readonly files?: BuildFiles;
  /** What it grants the build. */
  readonly entitlements: Entitlements;
  /** Caches that it gives, and wants, with what it says to the frontend. Throws invalidArgument. */
  caches(job: BuildJob, options: FrontendOptions): CacheRequest;
}

/** One build of a client, from its `Solve` call to the end. */
export class BuildJob {
  readonly ref: string;
  readonly session: ClientSession | undefined;
  readonly signal: AbortSignal;
  readonly progress = new BuildProgress();
  readonly files: BuildFiles;
  readonly references: References;
  readonly #parts: JobParts;
  readonly #bases: JobBases;
  #input: (name: string) => Promise<BuildInput> | undefined = () => undefined;
  #evaluated: Promise<readonly BuiltPlatform[]> | undefined;
  /** Nanoseconds since the epoch. */
  readonly startedAt: bigint;
  readonly #id = newId();
  readonly #client: JobClient;
  readonly #returned = Promise.withResolvers<Prepared | undefined>();
  prepared: Prepared | undefined;
  /** What is to be remembered of it, once it has succeeded. */
  findings: BuildFindings | undefined;

  constructor(ref: string, client: JobClient, signal: AbortSignal, parts: JobParts) {
    const { session, files } = client;
    this.ref = ref;
    this.references = new References(ref);
    this.session = session;
    this.#client = client;
    this.signal = session ? AbortSignal.any([signal, session.signal]) : signal;
    this.#parts = parts;
    this.startedAt = parts.clock.now();
    const asked = files ?? (session && new ClientFiles(session, parts.contexts, this.signal));
    if (!asked) throw invalidArgument('a build needs a session or a context');
    this.files = asked;
    this.#bases = new JobBases({
      ...parts,
      files: asked,
      session,
      progress: this.progress,
      signal: this.signal,
    });
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

  /** `find` answers what the client gives by name, beside its own files; called at most once for each name. */
  takeInputs(find: (name: string) => Promise<BuildInput> | undefined): void {
    const known = new Map<string, Promise<BuildInput> | undefined>();
    this.#input = (name) => {
      if (!known.has(name)) known.set(name, find(name));
      return known.get(name);
    };
  }

  /** What sources in a client's own graphs are fetched with. */
  sourceParts(): Omit<DefinitionParts, 'result'> {
    const { contexts, sources, builds } = this.#parts;
    const local = (name: string, attributes: Readonly<Record<string, string>>): Promise<SourceTree> =>
      this.files.receive(name, { filters: filtersOf(attributes) });
    return { contexts, sources, signal: this.signal, access: builds.accessOf(this.files), local };
  }

  /** Fetches the Dockerfile and what is to be ignored. */
  async prepare(options: FrontendOptions): Promise<Prepared> {
    const [files, prepared] = await this.#loadDefinition(options);
    return this.#withIgnored(files, prepared);
  }

  /** Answers a question about the Dockerfile, the frontend option `requestid`. */
  async answer(request: string, options: FrontendOptions): Promise<Answer> {
    const [files, definition] = await this.#loadDefinition(options);
    const prepared = isAboutText(request) ? definition : await this.#withIgnored(files, definition);
    return answerSubrequest(request, {
      file: prepared,
      plan: (more) => {
        const asked = this.#planRequest(prepared);
        return this.#parts.builds.plan({ ...asked, options: { ...asked.options, ...more } });
      },
      warn: (warnings) => this.progress.warn(warnings, prepared),
    });
  }

  async #loadDefinition(options: FrontendOptions): Promise<readonly [SourceTree, Prepared]> {
    const attest = attestOptionsOf(options);
    const { session, progress, signal } = this;
    const access = this.#parts.builds.accessOf(this.files);
    const foreign = await openContext(
      { ...this.#parts, access, session, progress, signal, input: this.#input },
      options,
    );
    const name = foreign.onlyFile ?? options['filename'] ?? 'Dockerfile';
    const [files, text] = await this.progress.during(
      `[internal] load build definition from ${name}`,
      async (step) => {
        const [own = ''] = ignoreFileNames(name);
        const paths = [name, own, name.toLowerCase()];
        const set = options['dockerfilekey'] ?? 'dockerfile';
        const source = await this.#receive(set, { followpaths: paths }, { options, foreign });
        const found =
          (await readSourceText(source, name)) ?? (await readSourceText(source, name.toLowerCase()));
        if (found === undefined)
          throw invalidArgument(`failed to read dockerfile: open ${name}: no such file or directory`);
        step.transferred('transferring dockerfile:', Buffer.byteLength(found), Buffer.byteLength(found));
        return [source, found] as const;
      },
    );
    this.prepared = { options, name, text, attest, ignorePatterns: [], foreign };
    checkSyntax(text, options);
    return [files, this.prepared];
  }

  async #withIgnored(files: SourceTree, prepared: Prepared): Promise<Prepared> {
    const { name, foreign } = prepared;
    // Whoever publishes a context has left out what does not belong.
    if (foreign.sets.has('context')) return prepared;
    const ignore = await this.progress.during('[internal] load .dockerignore', async () => {
      const own = await readSourceText(files, `${name}.dockerignore`);
      if (own !== undefined) return own;
      return readSourceText(
        await this.#receive('context', { followpaths: ['.dockerignore'] }, prepared),
        '.dockerignore',
      );
    });
    this.prepared = { ...prepared, ignorePatterns: parseIgnoreFile(ignore ?? '') };
    return this.prepared;
  }

  /** What is going to be done, for each platform. Throws DockerfileError. */
  async plans(prepared: Prepared): Promise<readonly BuildPlan[]> {
    const request = this.#planRequest(prepared);
    const platforms = request.platforms ?? [];
    const planned = async (more: Partial<PlanRequest>): Promise<BuildPlan> => {
      const planning = await this.#parts.builds.plan({ ...request, ...more });
      if (planning.kind === 'planned') return planning.plan;
      this.progress.warn(planning.warnings, prepared);
      throw planning.error;
    };
    if (platforms.length === 0) return [await planned({})];
    return Promise.all(platforms.map((platform) => planned({ platforms: [platform] })));
  }

  /** What was prepared comes to, made once however often it is asked for. */
  async evaluate(prepared: Prepared): Promise<readonly BuiltPlatform[]> {
    return (this.#evaluated ??= this.#evaluate(prepared));
  }

  async #evaluate(prepared: Prepared): Promise<readonly BuiltPlatform[]> {
    let platforms: readonly BuiltPlatform[] = [];
    const keep = (built: Built): Promise<ExportResponse> => {
      ({ platforms } = built);
      return Promise.resolve({});
    };
    const silent = { begins: () => undefined, did: () => undefined, transferred: () => undefined };
    const { from } = this.#client.caches(this, prepared.options);
    await this.#parts.builds.build({
      ...this.#buildRequest(prepared),
      caches: { ...noCaches, from },
      exporters: [{ title: '', export: keep }],
      exporting: (_, work) => work(silent),
    });
    return platforms;
  }

  /** Builds what was prepared, and makes of it what the exporters make. */
  async build(prepared: Prepared, exporters: readonly Exporter[]): Promise<ExportResponse> {
    const caches = this.#client.caches(this, prepared.options);
    if (exporters.length === 0 && caches.to.length === 0) {
      await this.evaluate(prepared);
      return {};
    }
    let explained: ExportResponse = {};
    const explainsAll = isExplained(prepared.options);
    const response = await this.#parts.builds.build({
      ...this.#buildRequest(prepared),
      ...{ exporters, caches, explainsAll },
      explained: (explanations) => {
        if (explainsAll) explained = { [explainOption]: JSON.stringify(explanations) };
      },
      attest: {
        asked: prepared.attest,
        invocation: this.#invocation(prepared),
        tool: `wharf-${this.#parts.version}`,
        built: async (built, account, response) => {
          this.findings = await findingsOf(built, account, response);
        },
      },
      exporting: (title, work) => this.progress.during(title, work),
    });
    return { ...response, ...explained };
  }

  #buildRequest(prepared: Prepared): Omit<BuildRequest, 'exporters' | 'exporting'> {
    let made: BuildPlans | undefined;
    return {
      ...this.#planRequest(prepared),
      identity: identityOf(prepared, this.session?.introduction.sharedKey ?? ''),
      local: (name, paths) => this.#local(name, paths, prepared, made),
      secret: (id) => this.files.secret(id),
      agent: (id) => this.files.agent(id),
      entitlements: this.#client.entitlements,
      limits: limitsOf(prepared.options),
      keepsFailed: prepared.options[debugOption] !== undefined,
      input: (name) => this.#input(name),
      warned: (warnings) => this.progress.warn(warnings, prepared),
      leaked: (leaks) => this.progress.warn(leaks.map(leakWarning), prepared),
      planned: (plans) => {
        made = plans;
        return this.progress.observe(plans.graph);
      },
    };
  }

  #invocation({ options, name, text, foreign }: Prepared): BuildInvocation {
    const startedAt = formatTime(this.startedAt);
    return { options, dockerfile: { name, text }, startedAt, id: this.#id, context: foreign.origin };
  }

  #planRequest({ options, text, ignorePatterns }: Prepared): PlanRequest {
    return {
      dockerfile: text,
      signal: this.signal,
      options: { ...planOptionsOf(options), ignorePatterns },
      platforms: platformsOf(options),
      base: this.#bases,
      pull: options['image-resolve-mode'] === 'pull',
    };
  }

  async #local(
    name: string,
    paths: readonly string[] | undefined,
    prepared: Prepared,
    plans: BuildPlans | undefined,
  ): Promise<SourceTree> {
    const ignored = name === 'context' ? prepared.ignorePatterns : await this.#ownPatterns(name, prepared);
    const filters = { 'exclude-patterns': ignored, ...(paths && { followpaths: paths }) };
    const isIt = (vertex: Vertex): boolean => vertex.kind === 'local' && vertex.name === name;
    const [id = ''] = [...(plans?.graph.vertices ?? [])].find(([, vertex]) => isIt(vertex)) ?? [];
    let bytes = 0;
    const source = await this.#receive(name, filters, prepared, (received) => {
      bytes = received;
      this.progress.transferred(id, 'transferring context:', received);
    });
    this.progress.transferred(id, 'transferring context:', bytes, bytes);
    return source;
  }

  /** What a named context leaves out is said in the context itself. */
  async #ownPatterns(name: string, prepared: Prepared): Promise<readonly string[]> {
    const text = await this.progress.during(`[context ${name}] load .dockerignore`, async () => {
      const files = await this.#receive(name, { followpaths: ['.dockerignore'] }, prepared);
      return readSourceText(files, '.dockerignore');
    });
    return parseIgnoreFile(text ?? '');
  }

  async #receive(
    name: string,
    filters: FileFilters,
    { options, foreign }: Pick<Prepared, 'options' | 'foreign'>,
    onProgress?: (received: number) => void,
  ): Promise<SourceTree> {
    const set = foreign.sets.get(name);
    if (set) return set;
    const sharedKey = options[`sharedkey:localdir:${name}`] ?? '';
    return this.files.receive(name, { filters, sharedKey, ...(onProgress && { onProgress }) });
  }
}

/** Which of a client's files its own graph names, by the names of the transfer. */
function filtersOf(attributes: Readonly<Record<string, string>>): FileFilters {
  const filters: Record<string, readonly string[]> = {};
  for (const [attribute, name] of [
    ['local.followpaths', 'followpaths'],
    ['local.includepattern', 'include-patterns'],
    ['local.excludepatterns', 'exclude-patterns'],
  ] as const) {
    const text = attributes[attribute];
    if (text !== undefined) filters[name] = (JSON.parse(text) as unknown[]).map(String);
  }
  return filters;
}
