import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { once } from 'node:events';
import { succeed } from './commands.ts';

/** What is served under a path. */
export interface ServedFile {
  readonly content: string | Uint8Array;
  readonly etag?: string;
  /** RFC 3339. */
  readonly lastModified?: string;
}

/** A web server of loopback, with files and git repositories: where builds take things from. */
export interface SourceServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** By their paths, with a slash; change them as you like. */
  readonly files: Map<string, ServedFile>;
  /** Requests so far, `METHOD path status`. */
  readonly requests: string[];
  /** Folder of the bare repositories, served as `/NAME.git`, and with a token as `/private/NAME.git`. */
  readonly repositories: string;
}

const backend = '/usr/lib/git-core/git-http-backend';

/** `token`: password of the repositories below `/private`. */
export async function startSourceServer(token = 'secret'): Promise<SourceServer> {
  const repositories = await mkdtemp(join(tmpdir(), 'wharf-repositories-'));
  const files = new Map<string, ServedFile>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://host');
    response.once('close', () => requests.push(`${request.method} ${pathname} ${response.statusCode}`));
    if (/\.git\/(?:info\/refs|git-upload-pack|HEAD|objects\/.*)$/.test(pathname)) {
      serveRepository(request, response, { repositories, pathname, search, token });
    } else serveFile(request, response, files.get(pathname), pathname);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server
  return {
    ...{ url: `http://127.0.0.1:${port}`, files, requests, repositories },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(repositories, { recursive: true, force: true });
    },
  };
}

function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: ServedFile | undefined,
  path: string,
): void {
  if (path.startsWith('/redirect/')) {
    response.writeHead(302, { location: path.slice('/redirect'.length) }).end();
    return;
  }
  if (!file) {
    response.writeHead(404).end('nothing is here');
    return;
  }
  const headers = {
    ...(file.etag !== undefined && { etag: file.etag }),
    ...(file.lastModified !== undefined && { 'last-modified': new Date(file.lastModified).toUTCString() }),
  };
  const isKnown = file.etag !== undefined && request.headers['if-none-match'] === file.etag;
  if (isKnown) response.writeHead(304, headers).end();
  else
    response
      .writeHead(200, { ...headers, 'content-length': Buffer.byteLength(file.content) })
      .end(file.content);
}

/** Git's own program for web servers (git-http-backend), by CGI. */
function serveRepository(
  request: IncomingMessage,
  response: ServerResponse,
  { repositories, pathname, search, token }: Record<'repositories' | 'pathname' | 'search' | 'token', string>,
): void {
  const isPrivate = pathname.startsWith('/private/');
  const login = `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  if (isPrivate && request.headers.authorization !== login) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  const child = spawn(backend, {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: repositories,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: isPrivate ? pathname.slice('/private'.length) : pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin.on('error', () => undefined));
  void Readable.from(child.stdout)
    .toArray()
    .then((chunks: Buffer[]) => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf('\r\n\r\n');
      const headers = answer
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const);
      const [, status = '200'] = headers.find(([name]) => name === 'Status') ?? [];
      response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers));
      response.end(answer.subarray(end + 4));
    });
}

/** Runs git as somebody, without this machine's settings. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  return succeed('git', ['-C', folder, ...args], {
    env: {
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    },
  });
}
