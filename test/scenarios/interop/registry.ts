import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, wharfProgram } from '../../setup/index.ts';
import type { Sample } from './images.ts';

const types = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** `wharf registry serve`, and raw requests to it. */
export class OwnRegistry implements AsyncDisposable {
  /** host:port */
  readonly address: string;
  readonly #end: () => Promise<unknown>;

  private constructor(address: string, end: () => Promise<unknown>) {
    this.address = address;
    this.#end = end;
  }

  static async start(): Promise<OwnRegistry> {
    const root = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
    const address = `127.0.0.1:${await freePort()}`;
    const args = ['registry', 'serve', '--root', root, '--listen', address];
    const server = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], { stdio: 'ignore' });
    const ended = once(server, 'exit');
    await eventually(async () => (await fetch(`http://${address}/v2/`).catch(() => undefined))?.ok);
    return new OwnRegistry(address, async () => {
      server.kill('SIGTERM');
      await ended;
      await rm(root, { recursive: true, force: true });
    });
  }

  /** Every blob and document, the one at the top last. */
  async push(repository: string, tag: string, { blobs, target }: Sample): Promise<void> {
    const documents = new Map<string, { mediaType: string; bytes: Uint8Array }>();
    for (const [digest, bytes] of blobs.blobs) {
      const mediaType = mediaTypeOf(bytes);
      if (mediaType !== undefined) documents.set(digest, { mediaType, bytes });
      else
        await this.#send(
          'POST',
          `${repository}/blobs/uploads/?digest=${digest}`,
          bytes,
          'application/octet-stream',
        );
    }
    // Parts were put before what is made of them.
    for (const [digest, { mediaType, bytes }] of documents) {
      const reference = digest === target.digest ? tag : digest;
      await this.#send('PUT', `${repository}/manifests/${reference}`, bytes, mediaType);
    }
  }

  async #send(method: string, path: string, bytes: Uint8Array, type: string): Promise<void> {
    const answer = await fetch(`http://${this.address}/v2/${path}`, {
      method,
      headers: { 'Content-Type': type },
      body: new Uint8Array(bytes),
    });
    if (answer.status !== 201) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }

  /** Of what a name leads to, from the bytes. */
  async digest(reference: string): Promise<string> {
    const [, repository = '', tag = 'latest'] = /^(.*?)(?:[:@](.*))?$/.exec(reference) ?? [];
    const answer = await fetch(`http://${this.address}/v2/${repository}/manifests/${tag}`, {
      headers: { Accept: types.join(', ') },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${reference}: ${answer.status} ${bytes.toString()}`);
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  }

  async json(path: string): Promise<unknown> {
    return (await fetch(`http://${this.address}/v2/${path}`)).json();
  }

  /** The bytes of a blob that the repository has. */
  async hasBlob(repository: string, digest: string): Promise<boolean> {
    return (await fetch(`http://${this.address}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })).ok;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

/** Documents say what they are; other blobs do not. */
function mediaTypeOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== '{'.charCodeAt(0)) return undefined;
  const { schemaVersion, mediaType } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  return schemaVersion === 2 && typeof mediaType === 'string' ? mediaType : undefined;
}
