import type { Duplex } from 'node:stream';
import type { SessionIntroduction } from './client-session.ts';
import type { GrpcServer } from './grpc-server.ts';
import type { ServiceParts } from './services.ts';
import type { Sessions } from './sessions.ts';

/** The engine's side of BuildKit's protocol, on connections that clients have opened for it. */
export interface BuildKit extends AsyncDisposable {
  /** Serves the calls of builds (`POST /grpc`). */
  serve(socket: Duplex): Promise<void>;
  /** Takes over a session (`POST /session`). Throws conflict for an id that is live. */
  openSession(introduction: SessionIntroduction, socket: Duplex): Promise<void>;
}

/** The libraries of gRPC are loaded when the first client comes: most engines never build. */
export function createBuildKit(parts: Omit<ServiceParts, 'sessions'>): BuildKit {
  return new LazyBuildKit(parts);
}

interface Loaded {
  readonly server: GrpcServer;
  readonly sessions: Sessions;
}

class LazyBuildKit implements BuildKit {
  readonly #parts: Omit<ServiceParts, 'sessions'>;
  #loading: Promise<Loaded> | undefined;

  constructor(parts: Omit<ServiceParts, 'sessions'>) {
    this.#parts = parts;
  }

  async serve(socket: Duplex): Promise<void> {
    (await this.#loaded()).server.serve(socket);
  }

  async openSession(introduction: SessionIntroduction, socket: Duplex): Promise<void> {
    (await this.#loaded()).sessions.open(introduction, socket);
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
    const [{ createGrpcServer }, { buildServices }, { Sessions }] = await Promise.all([
      import('./grpc-server.ts'),
      import('./services.ts'),
      import('./sessions.ts'),
    ]);
    const sessions = new Sessions();
    return { sessions, server: createGrpcServer(buildServices({ ...this.#parts, sessions })) };
  }
}
