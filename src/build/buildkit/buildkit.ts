import type { Duplex } from 'node:stream';
import type { SessionIntroduction } from './client-session.ts';
import { createGrpcServer, type GrpcServer } from './grpc-server.ts';
import { buildServices, type ServiceParts } from './services.ts';
import { Sessions } from './sessions.ts';

/** The engine's side of BuildKit's protocol, on connections that clients have opened for it. */
export interface BuildKit extends AsyncDisposable {
  /** Serves the calls of builds (`POST /grpc`). */
  serve(socket: Duplex): void;
  /** Takes over a session (`POST /session`). Throws conflict for an id that is live. */
  openSession(introduction: SessionIntroduction, socket: Duplex): void;
}

export function createBuildKit(parts: Omit<ServiceParts, 'sessions'>): BuildKit {
  return new LocalBuildKit(parts);
}

class LocalBuildKit implements BuildKit {
  readonly #sessions = new Sessions();
  readonly #server: GrpcServer;

  constructor(parts: Omit<ServiceParts, 'sessions'>) {
    this.#server = createGrpcServer(buildServices({ ...parts, sessions: this.#sessions }));
  }

  serve(socket: Duplex): void {
    this.#server.serve(socket);
  }

  openSession(introduction: SessionIntroduction, socket: Duplex): void {
    this.#sessions.open(introduction, socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sessions[Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
