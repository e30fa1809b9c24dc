import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../setup/index.ts';
import { joinChunks, readBody } from './body.ts';
import { normalise, normaliseHeaders } from './normalise.ts';
import { ask, TakenOver, type Received } from './wire.ts';

/** An answer with placeholders for what differs from run to run. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One request of a scenario, with what the engine answered. */
export interface Recorded {
  readonly step: string;
  readonly request: string;
  readonly answer: Answer;
}

export interface RequestOptions {
  /** Bytes, or a value that is sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Changes the body before it is recorded: drops what is not compared, sorts what has no order. */
  readonly pick?: (body: unknown) => unknown;
  /** In the request's path instead of the session's version; '' asks without one. */
  readonly version?: string;
}

export type JsonRecord = Readonly<Record<string, unknown>>;

const now = (): string => {
  const at = Date.now();
  return `${Math.floor(at / 1000)}.${String(at % 1000).padStart(3, '0')}`;
};

/** A scenario's hands: requests of one API version to one engine, each answer of which is recorded. */
export class Session {
  readonly version: string;
  readonly recorded: Recorded[] = [];
  readonly #socket: string;
  /** What stands for ids in recorded texts. */
  readonly #names = new Map<string, string>();
  #since = '';

  /** host:port of a registry that the engine reaches. */
  readonly registry: string;

  constructor(socket: string, version: string, registry = '') {
    this.#socket = socket;
    this.version = version;
    this.registry = registry;
    if (registry !== '') this.name(registry, 'registry');
  }

  /** Forgets the events so far. */
  async begin(): Promise<void> {
    await delay(3);
    this.#since = now();
  }

  /** Whether the session's version is this one or a newer one. */
  atLeast(version: string): boolean {
    return Number(this.version.split('.')[1]) >= Number(version.split('.')[1]);
  }

  /** From now on texts with this id (or its short form) are recorded with a name in its place. */
  name(id: string, name: string): void {
    this.#names.set(id, `<${name}>`);
  }

  /** A request whose answer is recorded. */
  async ask(step: string, method: string, path: string, options: RequestOptions = {}): Promise<Received> {
    const received = await ask(this.#socket, this.#asked(method, path, options));
    const body = readBody(received);
    this.#record(step, method, path, received, options.pick ? options.pick(body) : body);
    return received;
  }

  /** As ask(), for an answer whose body is JSON; ids in it get the name. */
  async json(step: string, method: string, path: string, options: RequestOptions = {}): Promise<JsonRecord> {
    const { body } = await this.ask(step, method, path, options);
    return JSON.parse(body.toString() || '{}') as JsonRecord;
  }

  /** A request that only prepares: not recorded, and it must succeed. */
  async quiet(method: string, path: string, body?: unknown): Promise<JsonRecord> {
    const asked = this.#asked(method, path, body === undefined ? {} : { body });
    const received = await ask(this.#socket, asked);
    if (received.status >= 400) {
      throw new Error(`${asked.method} ${asked.path}: ${received.status} ${received.body.toString()}`);
    }
    const json = (received.headers['content-type'] ?? '').startsWith('application/json');
    const text = received.body.toString().trim();
    return json && text !== '' ? (JSON.parse(text.split('\n')[0] ?? '') as JsonRecord) : {};
  }

  /** A container of busybox, not recorded; its id is known by its name from now on. */
  async create(name: string, config: JsonRecord = {}, query = ''): Promise<string> {
    const body = { Image: 'busybox', ...config };
    const { Id } = await this.quiet('POST', `/containers/create?name=${name}${query}`, body);
    this.name(String(Id), name);
    return String(Id);
  }

  /** A started container that sleeps and ends at once when it is told to, unless the configuration says otherwise. */
  async run(name: string, config: JsonRecord = {}): Promise<string> {
    const sleeper = ['sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 1000 & wait; done'];
    const { Cmd = sleeper } = config;
    const id = await this.create(name, { ...config, Cmd });
    await this.quiet('POST', `/containers/${name}/start`);
    // Its traps are set by then.
    if (JSON.stringify(Cmd).includes('echo ready')) await this.#said(name, 'ready');
    return id;
  }

  async #said(name: string, text: string): Promise<void> {
    const asked = { method: 'GET', path: `/containers/${name}/logs?stdout=1` };
    const says = async (): Promise<boolean> => (await ask(this.#socket, asked)).body.includes(text);
    await eventually(says, { timeout: 30_000, what: `${name} says ${text}` });
  }

  /** Waits for an exec's last event, which comes after its state is known. */
  async execDied(id: string): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ event: ['exec_die'] }));
    const limit = Date.now() + 300;
    while (Date.now() < limit) {
      const path = `/events?since=1&until=${now()}&filters=${filters}`;
      const { body } = await ask(this.#socket, { method: 'GET', path });
      if (body.includes(id)) return;
      await delay(10);
    }
  }

  /** A container that has run this command to its end. */
  async ran(name: string, command: readonly string[], config: JsonRecord = {}): Promise<string> {
    const id = await this.create(name, { Cmd: command, ...config });
    await this.quiet('POST', `/containers/${name}/start`);
    await this.quiet('POST', `/containers/${name}/wait`);
    await this.#untilDeaths(name, 1);
    return id;
  }

  /** Takes a connection over and records its head and, once it has ended, what came. */
  async take(method: string, path: string, options: RequestOptions = {}): Promise<TakenOver> {
    return TakenOver.open(this.#socket, this.#asked(method, path, options));
  }

  /** Records a taken-over connection that has ended. */
  async taken(
    step: string,
    method: string,
    path: string,
    stream: TakenOver,
    pick: (body: unknown) => unknown = (body) => body,
  ): Promise<void> {
    const bytes = await stream.finish();
    const body = stream.headers['transfer-encoding'] === 'chunked' ? joinChunks(bytes) : bytes;
    const received = { status: stream.status, headers: stream.headers, body };
    this.#record(step, method, path, received, pick(readBody(received)));
  }

  /** The streams of an attach or exec from a request to their end, with stdin sent and half closed. */
  async stream(step: string, path: string, options: RequestOptions & { stdin?: string } = {}): Promise<void> {
    const stream = await this.take('POST', path, options);
    if (options.stdin !== undefined) stream.write(options.stdin);
    stream.end();
    await this.taken(step, 'POST', path, stream, options.pick);
  }

  /** Records which events there were since the session began, or since the last call, in their order. */
  async events(step: string, types: readonly string[] = ['container', 'network', 'volume']): Promise<void> {
    // The time of the question has milliseconds only, that of the last event more.
    await delay(3);
    const until = now();
    const filters = encodeURIComponent(JSON.stringify({ type: types }));
    const query = `since=${this.#since}&until=${until}&filters=${filters}`;
    const received = await ask(this.#socket, this.#asked('GET', `/events?${query}`, {}));
    this.#since = until;
    const lines = received.body.toString().split('\n');
    const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JsonRecord);
    this.#record(step, 'GET', '/events', received, events.map(eventText));
  }

  /** Kills a container and waits for its end, so that no event of it is left to come. */
  async end(name: string): Promise<void> {
    const deaths = await this.#deaths(name);
    await this.quiet('POST', `/containers/${name}/kill`);
    await this.#untilDeaths(name, deaths + 1);
  }

  /** How often a container has died, as far as events tell. Its state may say so earlier. */
  async #deaths(name: string): Promise<number> {
    const filters = encodeURIComponent(JSON.stringify({ container: [name], event: ['die'] }));
    const path = `/events?since=1&until=${now()}&filters=${filters}`;
    const { body } = await ask(this.#socket, { method: 'GET', path });
    const { Id } = await this.quiet('GET', `/containers/${name}/json`);
    const lines = body.toString().split('\n');
    return lines.filter((line) => line.includes(String(Id))).length;
  }

  /** Until it has died for the first time. */
  async died(name: string): Promise<void> {
    await this.#untilDeaths(name, 1);
  }

  async #untilDeaths(name: string, deaths: number): Promise<void> {
    const dead = async (): Promise<boolean> => (await this.#deaths(name)) >= deaths;
    await eventually(dead, { timeout: 30_000, what: `${name} dies` });
    await this.until(name, ({ Status }) => Status === 'exited');
  }

  /** Polls until the container's state is the one that is asked for. */
  async until(name: string, holds: (state: JsonRecord) => boolean): Promise<void> {
    const reached = async (): Promise<boolean> => {
      const { State } = await this.quiet('GET', `/containers/${name}/json`);
      return holds(State as JsonRecord);
    };
    await eventually(reached, { timeout: 30_000, what: `${name} comes to the state that is waited for` });
  }

  /** Removes everything the scenario made. */
  async cleanUp(): Promise<void> {
    const containers = await this.#list('/containers/json?all=1');
    for (const { Id } of containers) await this.#remove(`/containers/${String(Id)}?force=1&v=1`);
    for (const { Name } of await this.#list('/networks')) {
      if (!['bridge', 'host', 'none'].includes(String(Name))) await this.#remove(`/networks/${String(Name)}`);
    }
    const { body } = await ask(this.#socket, { method: 'GET', path: '/volumes' });
    const { Volumes } = JSON.parse(body.toString()) as { Volumes: readonly JsonRecord[] | null };
    for (const { Name } of Volumes ?? []) await this.#remove(`/volumes/${String(Name)}?force=1`);
    for (const { Id, RepoTags } of await this.#list('/images/json')) {
      const tags = (RepoTags ?? []) as readonly string[];
      if (!tags.includes('busybox:latest')) await this.#remove(`/images/${String(Id)}?force=1`);
      else
        for (const tag of tags.filter((one) => one !== 'busybox:latest'))
          await this.#remove(`/images/${tag}`);
    }
  }

  async #list(path: string): Promise<readonly JsonRecord[]> {
    const { body } = await ask(this.#socket, { method: 'GET', path });
    return JSON.parse(body.toString()) as readonly JsonRecord[];
  }

  async #remove(path: string): Promise<void> {
    await ask(this.#socket, { method: 'DELETE', path });
  }

  #asked(
    method: string,
    path: string,
    { body, headers, version = this.version }: RequestOptions,
  ): Parameters<typeof ask>[1] {
    const versioned = version === '' ? path : `/v${version}${path}`;
    return {
      method,
      path: versioned,
      ...(body !== undefined && { body }),
      ...(headers && { headers }),
    };
  }

  #record(step: string, method: string, path: string, received: Received, body: unknown): void {
    const answer = {
      status: received.status,
      headers: normaliseHeaders(received.headers, this.#names),
      ...(body !== undefined && { body: normalise(body, this.#names) }),
    };
    const request = `${method} ${String(normalise(decodeURIComponent(path), this.#names))}`;
    this.recorded.push({ step, request, answer });
  }
}

function eventText({ Type, Action, Actor }: JsonRecord): string {
  const { ID, Attributes } = Actor as { ID: string; Attributes: Readonly<Record<string, string>> };
  const attributes = Object.entries(Attributes)
    .filter(([name]) => name !== 'execDuration')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${name === 'reclaimed' ? '<bytes>' : value}`);
  return [String(Type), String(Action), ID, ...attributes].join(' ');
}
