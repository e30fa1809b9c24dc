import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { patience } from '../../setup/index.ts';

/** An event of `GET /events`, as far as it is compared. */
export interface WireEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: string;
  readonly timeNano: number;
}

/** A Docker engine at a socket: ours or the reference. */
export class Engine {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  send(method: string, path: string, body?: unknown): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'application/x-tar' : 'application/json';
    const headers = payload === undefined ? {} : { 'content-type': type };
    const { socketPath } = this;
    const sent = request({ socketPath, method, path: `/v1.51${path}`, headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end(payload);
    return promise;
  }

  /** The answer's text. Throws for a status of 400 and above, unless `failing`. */
  async call(method: string, path: string, body?: unknown, failing = false): Promise<string> {
    const answer = await this.send(method, path, body);
    const answered = await text(answer);
    if (!failing && (answer.statusCode ?? 0) >= 400) throw new Error(`${method} ${path}: ${answered}`);
    return answered;
  }

  async create(name: string, config: object): Promise<string> {
    const answer = await this.call('POST', `/containers/create?name=${name}`, {
      Image: 'busybox',
      ...config,
    });
    return (JSON.parse(answer) as { Id: string }).Id;
  }

  /** Arms a wait (its headers are there) and answers the promise of its exit code. */
  async wait(name: string, condition: string): Promise<{ readonly ended: Promise<number> }> {
    const answer = await this.send('POST', `/containers/${name}/wait?condition=${condition}`);
    return { ended: (json(answer) as Promise<{ StatusCode: number }>).then((body) => body.StatusCode) };
  }

  /** Attaches or starts an exec: the raw stream. */
  hijack(path: string, body?: object): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const headers = { connection: 'Upgrade', upgrade: 'tcp', 'content-type': 'application/json' };
    const { socketPath } = this;
    const sent = request({ socketPath, method: 'POST', path: `/v1.51${path}`, headers, agent: false });
    sent.on('upgrade', (_answer, socket) => resolve(socket.resume()));
    sent.on('response', (answer) => reject(new Error(`no upgrade: ${answer.statusCode ?? 0}`)));
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
    return promise;
  }

  /** Follows the events until dispose; `seen` grows in the order of the stream. */
  async events(): Promise<EventLog> {
    return new EventLog(await this.send('GET', '/events'));
  }
}

/** What an open stream of events has told so far. */
export class EventLog implements Disposable {
  readonly seen: WireEvent[] = [];
  readonly #answer: IncomingMessage;
  #rest = '';
  #wake: (() => void) | undefined;

  constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.setEncoding('utf8');
    answer.on('error', () => undefined); // the stream is cut off at the end
    answer.on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n');
      this.#rest = lines.pop() ?? '';
      // Engine API, EventMessage.
      for (const line of lines) this.seen.push(JSON.parse(line) as WireEvent);
      this.#wake?.();
    });
  }

  /** Waits until an event has come that fits; answers how many events came up to it. Throws after 20 s. */
  async until(fits: (event: WireEvent) => boolean, from = 0): Promise<number> {
    const late = AbortSignal.timeout(20_000 * patience);
    for (;;) {
      const at = this.seen.findIndex((event, index) => index >= from && fits(event));
      if (at >= 0) return at + 1;
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      this.#wake = () => resolve(undefined);
      late.onabort = () => {
        reject(new Error(`the event did not come: ${fits.toString()}\n${JSON.stringify(this.seen)}`));
      };
      await promise;
    }
  }

  [Symbol.dispose](): void {
    this.#answer.destroy();
  }
}
