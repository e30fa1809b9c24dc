import { create, toBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { SolveRequestSchema, StatusResponseSchema } from '#buildkit';
import { conflict, internal, invalidArgument, newId } from '#kernel';
import type { ExportResponse } from '../export/exporter.ts';
import { Arrivals } from './arrivals.ts';
import { ArchiveFiles } from './archive-files.ts';
import { ClientFiles } from './client-files.ts';
import type { FrontendOptions } from './frontend-options.ts';
import type { Jobs } from './jobs.ts';
import { solve, type SolveParts } from './solve.ts';

/** A build of `POST /build` with `version=2`: that of BuildKit's clients before they spoke its protocol. */
export interface PostedBuild {
  /** By which it may be cancelled; '' for a build that nobody cancels by name. */
  readonly id: string;
  /** Of the client's session; '' for none. */
  readonly session: string;
  readonly options: FrontendOptions;
  readonly output: { readonly type: string; readonly attrs: Readonly<Record<string, string>> };
  /** A tar of the context; `upload`: it comes with a request of its own; undefined where it comes over the session. */
  readonly archive: AsyncIterable<Uint8Array> | 'upload' | undefined;
  readonly signal: AbortSignal;
  /** Called with each `moby.buildkit.v1.StatusResponse`, encoded. */
  readonly onStatus: (status: Uint8Array) => void;
}

/** Milliseconds that a build waits for its context, when that is to come with a request of its own. */
const patience = 10_000;

interface Upload {
  readonly archive: AsyncIterable<Uint8Array>;
  /** Called when it was read, or is not wanted any more. */
  readonly finished: () => void;
}

/** The posted builds that are under way. */
export class PostedBuilds {
  readonly #parts: SolveParts;
  readonly #jobs: Jobs;
  readonly #cancel = new Map<string, AbortController>();
  readonly #uploads = new Arrivals<Upload>();

  constructor(parts: SolveParts, jobs: Jobs) {
    this.#parts = parts;
    this.#jobs = jobs;
  }

  /** Throws invalidArgument for a context that is none, internal with the build's own message. */
  async run(build: PostedBuild): Promise<ExportResponse> {
    const cancel = new AbortController();
    if (build.id !== '') this.#cancel.set(build.id, cancel);
    try {
      return await this.#run(build, AbortSignal.any([build.signal, cancel.signal]));
    } catch (error) {
      throw error instanceof ConnectError ? internal(error.rawMessage, error) : error;
    } finally {
      if (this.#cancel.get(build.id) === cancel) this.#cancel.delete(build.id);
    }
  }

  /** Ends a build; one that is not known has ended already. */
  cancel(id: string): void {
    this.#cancel.get(id)?.abort(new Error('context canceled'));
  }

  /** Hands a build its context; resolves when it has read it. */
  async upload(id: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    if (this.#uploads.has(id)) throw conflict(`the context of build ${id} is being sent already`);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#uploads.add(id, { archive, finished: () => resolve(undefined) });
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    const unwanted = setTimeout(() => resolve(undefined), patience);
    try {
      await promise;
    } finally {
      clearTimeout(unwanted);
      this.#uploads.delete(id);
    }
  }

  async #run(build: PostedBuild, signal: AbortSignal): Promise<ExportResponse> {
    const files = await this.#files(build, signal);
    const { type, attrs } = build.output;
    const request = create(SolveRequestSchema, {
      ...{ ref: newId(), session: build.session, frontend: 'dockerfile.v0', frontendAttrs: build.options },
      exporters: [{ type, attrs }],
      // Who asks for the host's network grants it: these clients have no other way to.
      entitlements: build.options['force-network-mode'] === 'host' ? ['network.host'] : [],
    });
    const done = solve(this.#parts, this.#jobs, request, { signal, ...(files && { files }) });
    const isOver = new AbortController();
    const told = this.#tell(request.ref, build, AbortSignal.any([signal, isOver.signal]));
    try {
      return await done;
    } finally {
      isOver.abort();
      await told;
    }
  }

  async #files(
    { id, archive, session }: PostedBuild,
    signal: AbortSignal,
  ): Promise<ArchiveFiles | undefined> {
    if (archive === undefined) return undefined;
    if (archive !== 'upload') return this.#receive(archive, session, signal);
    const late = (): Error => invalidArgument(`the context of build ${id} was not sent`);
    const upload = await this.#uploads.get(id, signal, patience, late);
    try {
      return await this.#receive(upload.archive, session, signal);
    } finally {
      upload.finished();
    }
  }

  async #receive(
    archive: AsyncIterable<Uint8Array>,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<ArchiveFiles> {
    const { sessions, contexts } = this.#parts;
    const session = sessionId === '' ? undefined : await sessions.get(sessionId, signal);
    const tree = await contexts.receiveTar(archive, { signal });
    return new ArchiveFiles(tree, contexts, session && new ClientFiles(session, contexts, signal));
  }

  /** Tells of a build until its end; of one that never begins there is nothing to tell but its error. */
  async #tell(ref: string, { onStatus, signal }: PostedBuild, isOver: AbortSignal): Promise<void> {
    const job = await this.#jobs.get(ref, isOver).catch(() => undefined);
    if (!job) return;
    for await (const status of job.progress.stream(signal)) onStatus(toBinary(StatusResponseSchema, status));
  }
}
