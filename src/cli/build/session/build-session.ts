import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { randomBytes } from 'node:crypto';
import { Code, ConnectError } from '@connectrpc/connect';
import { Health } from '#buildkit';
import type { EngineClient } from '#client';
import { ConnectionDuplex } from '../connection-duplex.ts';
import { IncomingCall } from './incoming-call.ts';
import { unary, type SessionService } from './session-service.ts';

export interface SessionOptions {
  /** Stays the same for the same folders of this machine, so that their files need not be sent twice. */
  readonly sharedKey: string;
  readonly services: readonly SessionService[];
}

const serving = 1;
const window = 4 * 1024 * 1024;

/** A connection to an engine on which the engine is the one who calls (`POST /session`). */
export class BuildSession implements Disposable {
  readonly id = newId();
  readonly #answers: SessionService;
  readonly #server: Http2Server;
  #stream: ConnectionDuplex | undefined;

  private constructor(services: readonly SessionService[]) {
    const health = unary(Health.method.check, () => ({ status: serving }));
    this.#answers = Object.assign({}, health, ...services) as SessionService;
    this.#server = createServer({
      maxSessionMemory: 256,
      settings: { initialWindowSize: window, maxConcurrentStreams: 1000 },
    });
    this.#server.on('stream', (stream, headers, _flags, rawHeaders) => {
      // The two typings of a stream differ, the streams do not.
      void this.#answer(new IncomingCall(stream as ServerHttp2Stream, rawHeaders), String(headers[':path']));
    });
    this.#server.on('session', (session) => session.setLocalWindowSize(4 * window));
    // The calls that were running fail.
    this.#server.on('sessionError', () => undefined);
  }

  /** Throws the engine's error. */
  static async open(engine: EngineClient, options: SessionOptions): Promise<BuildSession> {
    const session = new BuildSession(options.services);
    const { connection } = await engine.hijack({
      method: 'POST',
      path: '/session',
      headers: {
        Upgrade: 'h2c',
        'X-Docker-Expose-Session-Uuid': session.id,
        'X-Docker-Expose-Session-Name': 'wharf',
        'X-Docker-Expose-Session-Sharedkey': options.sharedKey,
        'X-Docker-Expose-Session-Grpc-Method': Object.keys(session.#answers),
      },
    });
    session.#stream = new ConnectionDuplex(connection);
    session.#server.emit('connection', session.#stream);
    return session;
  }

  [Symbol.dispose](): void {
    this.#stream?.destroy();
  }

  async #answer(call: IncomingCall, path: string): Promise<void> {
    try {
      const answer = this.#answers[path];
      if (!answer) throw new ConnectError(`unknown method ${path}`, Code.Unimplemented);
      await answer(call);
      call.end();
    } catch (error) {
      call.end(error);
    }
  }
}

/** A name that nobody else has: as many letters and digits as BuildKit's own. */
export const newId = (): string =>
  BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .slice(-25)
    .padStart(25, '0');
