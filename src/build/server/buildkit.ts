import type { Duplex } from 'node:stream';
import type { SessionIntroduction } from './client-session.ts';
import type { GrpcServer } from './grpc-server.ts';
import type { ExportResponse } from '../export/exporter.ts';
import type { PostedBuild, PostedBuilds } from './posted-build.ts';
import type { ServiceParts } from './services.ts';
import type { Sessions } from './sessions.ts';

/** The engine's side of BuildKit's protocol, on connections that clients have opened for it. */
export interface BuildKit extends AsyncDisposable {
  /** Serves the calls of builds (`POST /grpc`). */
  serve(socket: Duplex): Promise<void>;
  /** Takes over a session (`POST /session`). Throws conflict for an id that is live. */
  openSession(introduction: SessionIntroduction, socket: Duplex): Promise<void>;
  /** `POST /build` with `version=2`. Throws internal with the build's own message. */
  build(build: PostedBuild): Promise<ExportResponse>;
  /** The context of a posted build that was told to wait for one; resolves when it was read. */
  upload(id: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Ends a posted build; one that is not known has ended already. */
  cancel(id: string): void;
}

/** The libraries of gRPC are loaded when the first client comes: most engines never build. */
export function createBuildKit(parts: Omit<ServiceParts, 'sessions' | 'records'>): BuildKit {
  return new LazyBuildKit(parts);
}

interface Loaded {
  readonly server: GrpcServer;
  readonly sessions: Sessions;
  readonly posted: PostedBuilds;
}

class LazyBuildKit implements BuildKit {
  readonly #parts: Omit<ServiceParts, 'sessions' | 'records'>;
  #loading: Promise<Loaded> | undefined;

  constructor(parts: Omit<ServiceParts, 'sessions' | 'records'>) {
    this.#parts = parts;
  }

  async serve(socket: Duplex): Promise<void> {
    (await this.#loaded()).server.serve(socket);
  }

  async openSession(introduction: SessionIntroduction, socket: Duplex): Promise<void> {
    (await this.#loaded()).sessions.open(introduction, socket);
  }

  async build(build: PostedBuild): Promise<ExportResponse> {
    return (await this.#loaded()).posted.run(build);
  }

  async upload(id: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    await (await this.#loaded()).posted.upload(id, archive, signal);
  }

  cancel(id: string): void {
    void this.#loading?.then(({ posted }) => posted.cancel(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const loaded = await this.#loading;
    loaded?.sessions[Symbol.dispose]();
    await loaded?.server[Symbol.asyncDispose]();
  }

  #loaded(): Promise<Loaded> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<Loaded> {
    const [
      { createGrpcServer },
      { buildServices },
      { Sessions },
      { Jobs },
      { PostedBuilds },
      { BuildHistory },
    ] = await Promise.all([
      import('./grpc-server.ts'),
      import('./services.ts'),
      import('./sessions.ts'),
      import('./jobs.ts'),
      import('./posted-build.ts'),
      import('./build-history.ts'),
    ]);
    const sessions = new Sessions();
    const jobs = new Jobs();
    const parts = { ...this.#parts, sessions, records: new BuildHistory(this.#parts.history) };
    const server = createGrpcServer(buildServices(parts, jobs));
    return { sessions, server, posted: new PostedBuilds(parts, jobs) };
  }
}
