import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, GrpcStream } from '#buildkit';
import { invalidArgument } from '#kernel';

/** What a client says when it opens a session. */
export interface SessionIntroduction {
  readonly id: string;
  readonly name: string;
  /** Stays the same for one folder of one client, so that its files need not be sent twice. */
  readonly sharedKey: string;
  /** What the client serves: `/moby.filesync.v1.filesync/diffcopy`, in small letters. */
  readonly methods: ReadonlySet<string>;
}

/** What the metadata of a call says that is a session's connection. Throws invalidArgument without an id. */
export function introductionOf(metadata: Headers): SessionIntroduction {
  const value = (name: string): string => metadata.get(`x-docker-expose-session-${name}`) ?? '';
  const id = value('uuid');
  if (id === '') throw invalidArgument('a session needs an id');
  const methods = value('grpc-method')
    .split(',')
    .map((method) => method.trim().toLowerCase());
  return { id, name: value('name'), sharedKey: value('sharedkey'), methods: new Set(methods) };
}

const healthInterval = 5_000;
const healthTimeout = 15_000;
const healthFailures = 2;

/**
 * A client's session: a connection on which the engine is the one who calls. Ends when the client goes or answers no
 * more.
 */
export class ClientSession implements Disposable {
  readonly introduction: SessionIntroduction;
  /** Aborts when the session has ended. */
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #http2: ClientHttp2Session;
  readonly #transport: ReturnType<typeof createGrpcTransport>;

  constructor(introduction: SessionIntroduction, socket: Duplex) {
    this.introduction = introduction;
    this.signal = this.#abort.signal;
    this.#http2 = connect('http://session', {
      createConnection: () => socket,
      maxSessionMemory: 256,
      settings: { initialWindowSize: 4 * 1024 * 1024 },
    });
    socket.once('end', () => socket.destroy());
    this.#http2.on('error', () => this[Symbol.dispose]());
    this.#http2.once('close', () => this[Symbol.dispose]());
    this.#http2.once('connect', () => this.#http2.setLocalWindowSize(16 * 1024 * 1024));
    this.#transport = createGrpcTransport({
      baseUrl: 'http://session',
      sessionManager: {
        authority: 'http://session',
        request: (method, path, headers, options) =>
          Promise.resolve(this.#http2.request({ ...headers, ':method': method, ':path': path }, options)),
        notifyResponseByteRead: () => undefined,
      },
    });
    if (this.offers('/grpc.health.v1.Health/Check')) void this.#watch();
  }

  /** `method`: a path such as `/moby.buildkit.secrets.v1.Secrets/GetSecret`. */
  offers(method: string): boolean {
    return this.introduction.methods.has(method.toLowerCase());
  }

  client<T extends DescService>(service: T): Client<T> {
    return createClient(service, this.#transport);
  }

  /** Opens a stream of a transfer, `/moby.filesync.v1.FileSync/DiffCopy`; lists become repeated headers. */
  openStream(path: string, metadata: Readonly<Record<string, string | readonly string[]>>): GrpcStream {
    if (!this.offers(path)) {
      throw new ConnectError(`the client's session does not serve ${path}`, Code.Unimplemented);
    }
    const headers: OutgoingHttpHeaders = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      ...encodedMetadata(metadata),
    };
    return new GrpcStream(this.#http2.request(headers, { endStream: false }));
  }

  [Symbol.dispose](): void {
    if (this.signal.aborted) return;
    this.#abort.abort(new ConnectError('the client has closed its session', Code.Canceled));
    this.#http2.destroy();
  }

  async #watch(): Promise<void> {
    const health = this.client(Health);
    for (let failures = 0; failures < healthFailures;) {
      await pause(healthInterval, this.signal);
      if (this.signal.aborted) return;
      failures = await health.check({}, { timeoutMs: healthTimeout, signal: this.signal }).then(
        () => 0,
        () => failures + 1,
      );
    }
    this[Symbol.dispose]();
  }
}

/** Whether a call failed since the client has nothing of that name. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof ConnectError && error.code === Code.NotFound;

/** Values beyond ASCII travel percent-encoded, with a second header that says so (BuildKit's session/filesync). */
function encodedMetadata(
  metadata: Readonly<Record<string, string | readonly string[]>>,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(metadata)) {
    const values = typeof value === 'string' ? [value] : value;
    if (values.length === 0) continue;
    const plain = values.every((text) => /^[\x20-\x7e]*$/.test(text));
    headers[name] = plain ? [...values] : values.map((text) => encodeURIComponent(text));
    if (!plain) headers[`${name}-encoded`] = '1';
  }
  return headers;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}
