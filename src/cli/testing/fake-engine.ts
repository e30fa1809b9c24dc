import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';

/** What the engine was asked, without the version prefix. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** JSON is sent with status 200; a function does what it likes; a number is a status with an error body. */
export type Answer =
  | { readonly json: unknown }
  | { readonly status: number; readonly message: string }
  | { readonly text: string; readonly type?: string }
  | ((request: RecordedRequest, response: ServerResponse) => void);

export type HijackAnswer = (request: RecordedRequest, socket: Socket) => void;

/** An engine that gives prepared answers on a unix socket. */
export interface FakeEngine extends AsyncDisposable {
  readonly host: string;
  readonly requests: RecordedRequest[];
  answer(route: string, answer: Answer): void;
  hijack(route: string, answer: HijackAnswer): void;
}

/** Routes are `GET /containers/json`; what has none gets Docker's 404. */
export async function startFakeEngine(options: { apiVersion?: string } = {}): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'fake-engine-'));
  const path = join(folder, 'engine.sock');
  const requests: RecordedRequest[] = [];
  const answers = new Map<string, Answer>();
  const hijacks = new Map<string, HijackAnswer>();
  const apiVersion = options.apiVersion ?? '1.51';
  const server = createServer((message, response) => {
    void record(message, requests).then((request) => {
      response.setHeader('Api-Version', apiVersion);
      const asked = /^\/v([\d.]+)\//.exec(message.url ?? '')?.[1];
      if (asked !== undefined && Number(asked.split('.')[1]) > Number(apiVersion.split('.')[1])) {
        const text = `client version ${asked} is too new. Maximum supported API version is ${apiVersion}`;
        send(response, 400, { message: text });
        return;
      }
      reply(answers.get(`${request.method} ${request.path}`), request, response);
    });
  });
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    void record(message, requests).then((request) => {
      const answer = hijacks.get(`${request.method} ${request.path}`);
      if (!answer) {
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      if (head.length > 0) socket.unshift(head);
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      answer(request, socket);
    });
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    requests,
    answer: (route, answer) => void answers.set(route, answer),
    hijack: (route, answer) => void hijacks.set(route, answer),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

async function record(message: IncomingMessage, requests: RecordedRequest[]): Promise<RecordedRequest> {
  const url = new URL(message.url ?? '', 'http://engine');
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const request = {
    method: message.method ?? '',
    path: decodeURIComponent(url.pathname.replace(/^\/v[\d.]+(?=\/)/, '')),
    query: Object.fromEntries(url.searchParams),
    body: Buffer.concat(chunks).toString(),
    headers: message.headers,
  };
  requests.push(request);
  return request;
}

function reply(answer: Answer | undefined, request: RecordedRequest, response: ServerResponse): void {
  if (!answer) send(response, request.path === '/_ping' ? 200 : 404, { message: 'page not found' });
  else if (typeof answer === 'function') answer(request, response);
  else if ('json' in answer) send(response, 200, answer.json);
  else if ('status' in answer) send(response, answer.status, { message: answer.message });
  else {
    response.setHeader('Content-Type', answer.type ?? 'text/plain');
    response.end(answer.text);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.end(`${JSON.stringify(body)}\n`);
}
