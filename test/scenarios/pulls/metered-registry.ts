import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf, type SmallImage } from '../../setup/index.ts';

/** A request for a blob, and how many of its bytes were sent. */
export interface BlobRequest {
  readonly digest: string;
  readonly start: number;
  sent: number;
}

const pathOf = /^\/v2\/x\/(?<kind>manifests|blobs)\/(?<rest>.+)$/;
const chunkSize = 65_536;

/** Serves one image as `x:1`, and sends no more bytes of layers than it is allowed to: then it stalls. */
export class MeteredRegistry implements AsyncDisposable {
  readonly #server: Server;
  readonly #blobs = new Map<string, Buffer>();
  readonly #config: string;
  readonly #manifest: Buffer;
  #allowance = 0;
  #wake = Promise.withResolvers<undefined>();
  readonly requests: BlobRequest[] = [];
  /** Bytes of layers, over all requests. */
  sent = 0;
  readonly layers: readonly string[];

  private constructor(image: SmallImage) {
    const describe = (mediaType: string, bytes: Buffer): object => {
      const digest = digestOf(bytes);
      this.#blobs.set(digest, bytes);
      return { mediaType, digest, size: bytes.length };
    };
    const type = 'application/vnd.oci.image';
    this.#manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: `${type}.manifest.v1+json`,
        config: describe(`${type}.config.v1+json`, image.config),
        layers: image.layers.map((layer) => describe(`${type}.layer.v1.tar`, layer)),
      }),
    );
    this.#config = digestOf(image.config);
    this.layers = image.layers.map((layer) => digestOf(layer));
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async open(image: SmallImage): Promise<MeteredRegistry> {
    const registry = new MeteredRegistry(image);
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  /** host:port */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get digest(): string {
    return digestOf(this.#manifest);
  }

  /** So many more bytes may be sent. */
  allow(bytes: number): void {
    this.#allowance += bytes;
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers();
  }

  /** Whether everything that was allowed has been sent. */
  get isSpent(): boolean {
    return this.#allowance <= 0;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { kind, rest = '' } = pathOf.exec(request.url ?? '')?.groups ?? {};
    if (kind === undefined) return void response.end('{}');
    if (kind === 'manifests') {
      response.writeHead(200, {
        'content-type': 'application/vnd.oci.image.manifest.v1+json',
        'docker-content-digest': this.digest,
      });
      return void response.end(this.#manifest);
    }
    const blob = this.#blobs.get(rest);
    if (!blob) return void response.writeHead(404).end();
    if (rest === this.#config) return void response.end(blob);
    await this.#send(request, response, rest, blob);
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    digest: string,
    blob: Buffer,
  ): Promise<void> {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const entry = { digest, start, sent: 0 };
    this.requests.push(entry);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': blob.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
    });
    const closed = once(response, 'close');
    for (let at = start; at < blob.length && !response.destroyed;) {
      if (this.#allowance <= 0) {
        await this.#wake.promise;
        continue;
      }
      const count = Math.min(chunkSize, blob.length - at, this.#allowance);
      this.#allowance -= count;
      this.sent += count;
      entry.sent += count;
      at += count;
      if (!response.write(blob.subarray(at - count, at))) {
        await Promise.race([once(response, 'drain'), closed]);
      }
    }
    response.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.allow(0);
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
