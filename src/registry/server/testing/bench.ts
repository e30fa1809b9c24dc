import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '#kernel';
import { digestOf, mediaTypes } from '#oci';
import { createRegistryServer, type RegistryServer, type RegistryServerOptions } from '../registry-server.ts';

/** A registry of the test's own, and a client that is no more than fetch(). */
export class Bench implements AsyncDisposable {
  readonly root: string;
  readonly #options: Partial<RegistryServerOptions>;
  server: RegistryServer;
  base: string;

  private constructor(
    root: string,
    options: Partial<RegistryServerOptions>,
    server: RegistryServer,
    port: number,
  ) {
    this.root = root;
    this.#options = options;
    this.server = server;
    this.base = `http://127.0.0.1:${port}`;
  }

  static async start(options: Partial<RegistryServerOptions> = {}): Promise<Bench> {
    const root = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
    const server = await open(root, options);
    return new Bench(root, options, server, await server.listen({ host: '127.0.0.1', port: 0 }));
  }

  async restart(): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.server = await open(this.root, this.#options);
    this.base = `http://127.0.0.1:${await this.server.listen({ host: '127.0.0.1', port: 0 })}`;
  }

  ask(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(this.base + path, { method, headers, ...(body !== undefined && { body }) });
  }

  async push(repository: string, data: string | Uint8Array<ArrayBuffer>): Promise<string> {
    const digest = digestOf(data);
    const answer = await this.ask('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, data);
    assert.equal(answer.status, 201);
    return digest;
  }

  async pushManifest(repository: string, reference: string, document: object): Promise<Response> {
    const { mediaType = mediaTypes.ociManifest } = document as { mediaType?: string };
    return this.ask('PUT', `/v2/${repository}/manifests/${reference}`, JSON.stringify(document), {
      'Content-Type': mediaType,
    });
  }

  /** An image of one layer; resolves to its digest. */
  async pushImage(repository: string, tag: string, layer: string, more: object = {}): Promise<string> {
    await this.push(repository, '{}');
    await this.push(repository, layer);
    const answer = await this.pushManifest(repository, tag, { ...image(layer), ...more });
    assert.equal(answer.status, 201, await answer.text());
    return answer.headers.get('docker-content-digest') ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await rm(this.root, { recursive: true });
  }
}

const open = (root: string, options: Partial<RegistryServerOptions>): Promise<RegistryServer> =>
  createRegistryServer({ root, clock: systemClock, logger: silentLogger, ...options });

const descriptor = (mediaType: string, data: string): object => ({
  mediaType,
  digest: digestOf(data),
  size: data.length,
});
export const image = (layer: string): object => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(mediaTypes.ociConfig, '{}'),
  layers: [descriptor(mediaTypes.ociLayerGzip, layer)],
});

export const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { errors: readonly { code: string }[] }).errors[0]?.code ?? '';
