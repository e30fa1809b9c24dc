import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '#oci';

/** Answers a request itself and returns true, or leaves it to the registry. */
export type Intercept = (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
) => boolean | Promise<boolean>;

interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

const descriptorOf = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

export function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
  return true;
}

/** A registry in memory that can be told to misbehave. Keeps a record of the requests it got. */
export class FakeRegistry implements AsyncDisposable {
  readonly #server: Server;
  readonly blobs = new Map<string, Buffer>();
  /** By `name@tag` and `name@digest`. */
  readonly manifests = new Map<string, StoredManifest>();
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = [];
  intercept: Intercept = () => false;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch((error: unknown) => {
        response.destroy(error as Error);
      });
    });
  }

  static async open(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  paths(method: string): string[] {
    return this.requests.filter((each) => each.method === method).map((each) => each.path);
  }

  /** Stores an image of one layer under a tag. */
  addImage(
    name: string,
    tag: string,
    layer: Buffer,
  ): { manifest: Descriptor; config: Descriptor; layer: Descriptor; bytes: Buffer } {
    const config = Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      }),
    );
    for (const blob of [config, layer]) this.blobs.set(digestOf(blob), blob);
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptorOf(mediaTypes.ociConfig, config),
      layers: [descriptorOf(mediaTypes.ociLayer, layer)],
    };
    const bytes = Buffer.from(JSON.stringify(document));
    const manifest = this.putManifest(name, tag, mediaTypes.ociManifest, bytes);
    return { manifest, config: document.config, layer: document.layers[0] ?? manifest, bytes };
  }

  putManifest(name: string, reference: string, mediaType: string, bytes: Buffer): Descriptor {
    const descriptor = descriptorOf(mediaType, bytes);
    for (const key of [reference, descriptor.digest])
      this.manifests.set(`${name}@${key}`, { mediaType, bytes });
    return descriptor;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${this.host}`);
    const method = request.method ?? 'GET';
    this.requests.push({ method, path: url.pathname + url.search, headers: request.headers });
    if (await this.intercept(request, response, url)) return;
    if (url.pathname === '/v2/') return void response.end('{}');
    const match = /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs|tags)\/(?<rest>.+)$/.exec(
      url.pathname,
    )?.groups;
    const { name = '', kind, rest = '' } = match ?? {};
    if (kind === 'manifests') await this.#manifest(request, response, name, rest);
    else if (kind === 'blobs') await this.#blob(request, response, url, rest);
    else if (kind === 'tags') this.#tags(response, name);
    else response.writeHead(404).end();
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    reference: string,
  ): Promise<void> {
    if (request.method === 'PUT') {
      const mediaType = request.headers['content-type'] ?? '';
      const { digest } = this.putManifest(name, reference, mediaType, await buffer(request));
      response.writeHead(201, { 'docker-content-digest': digest }).end();
      return;
    }
    const found = this.manifests.get(`${name}@${reference}`);
    if (!found) return void sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    response.writeHead(200, {
      'content-type': found.mediaType,
      'content-length': found.bytes.length,
      'docker-content-digest': digestOf(found.bytes),
    });
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  async #blob(request: IncomingMessage, response: ServerResponse, url: URL, rest: string): Promise<void> {
    if (request.method === 'POST') {
      const mount = url.searchParams.get('mount');
      if (mount !== null && this.blobs.has(mount)) return void response.writeHead(201).end();
      response.writeHead(202, { location: `${url.pathname}session-1?state=a%20b` }).end();
      return;
    }
    if (request.method === 'PUT') {
      const bytes = await buffer(request);
      const digest = url.searchParams.get('digest') ?? '';
      if (digestOf(bytes) !== digest || url.searchParams.get('state') !== 'a b') {
        return void sendError(
          response,
          400,
          'DIGEST_INVALID',
          'provided digest did not match uploaded content',
        );
      }
      this.blobs.set(digest, bytes);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
      return;
    }
    if (request.method === 'DELETE') return void response.writeHead(204).end();
    this.sendBlob(request, response, rest as Digest);
  }

  /** Serves a blob, from an offset if the request asks for one. */
  sendBlob(request: IncomingMessage, response: ServerResponse, digest: Digest): void {
    const blob = this.blobs.get(digest);
    if (!blob) return void sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': blob.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : blob.subarray(start));
  }

  #tags(response: ServerResponse, name: string): void {
    const tags = [...this.manifests.keys()]
      .filter((key) => key.startsWith(`${name}@`) && !key.includes('sha256:'))
      .map((key) => key.slice(name.length + 1));
    response.end(JSON.stringify({ name, tags: tags.length > 0 ? tags : null }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
