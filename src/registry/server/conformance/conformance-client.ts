import assert from 'node:assert/strict';
import { algorithmOf, digestOf, mediaTypes, type Digest, type DigestAlgorithm } from '#oci';

export type Bytes = Uint8Array<ArrayBuffer>;

interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: readonly (readonly [string, string])[];
  /** A list is sent chunk by chunk, without a Content-Length. */
  readonly body?: Bytes | readonly Bytes[];
}

/** A registry seen by a client that trusts nothing: every helper checks the answer it gets. */
export class ConformanceClient {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** `path`: below the registry's address, or a whole address that it gave itself. */
  async ask(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const url = new URL(path, this.#base);
    for (const [name, value] of options.query ?? []) url.searchParams.append(name, value);
    const { body } = options;
    const sent = body === undefined || body instanceof Uint8Array ? body : ReadableStream.from(body);
    return await fetch(url, {
      method,
      headers: { ...options.headers },
      ...(sent !== undefined && { body: sent, duplex: 'half' }),
    });
  }

  /** Asks and checks the status; the body is read, so that no connection is kept waiting. */
  async expect(
    status: number | readonly number[],
    method: string,
    path: string,
    options?: RequestOptions,
  ): Promise<{ readonly headers: Headers; readonly status: number; readonly body: Buffer }> {
    const answer = await this.ask(method, path, options);
    const body = Buffer.from(await answer.arrayBuffer());
    const allowed = typeof status === 'number' ? [status] : status;
    const shown = body.length > 300 ? `${body.length} bytes` : body.toString();
    assert.ok(
      allowed.includes(answer.status),
      `${method} ${path}: ${answer.status} instead of ${allowed.join(' or ')}: ${shown}`,
    );
    return { headers: answer.headers, status: answer.status, body };
  }

  /** Opens an upload; resolves to where its bytes go, and the least size of its chunks. */
  async beginUpload(
    repository: string,
    algorithm: DigestAlgorithm = 'sha256',
  ): Promise<{ readonly place: string; readonly chunk: number }> {
    const query = algorithm === 'sha256' ? [] : [['digest-algorithm', algorithm] as const];
    const { headers } = await this.expect(202, 'POST', `/v2/${repository}/blobs/uploads/`, { query });
    return { place: this.locationOf(headers), chunk: Number(headers.get('oci-chunk-min-length') ?? 0) };
  }

  /** The Location of an answer as a whole address, its own query kept. */
  locationOf(headers: Headers): string {
    const location = headers.get('location');
    assert.ok(location, 'an answer without a Location');
    return new URL(location, this.#base).href;
  }

  /** Checks that the Location of a pushed blob or manifest gives back its bytes. */
  async checkPushed(answer: { readonly headers: Headers }, bytes: Bytes): Promise<void> {
    const headers = { Accept: `${mediaTypes.ociManifest}, ${mediaTypes.ociIndex}, */*` };
    const { body } = await this.expect(200, 'GET', this.locationOf(answer.headers), { headers });
    assert.ok(body.equals(bytes), 'the Location gives other bytes than were pushed');
  }
}

/** Checks Docker-Content-Digest: the digest asked for, or at least one of the same bytes. */
export function checkDigest(headers: Headers, digest: Digest, bytes: Bytes): void {
  const given = headers.get('docker-content-digest');
  assert.ok(given, 'an answer without Docker-Content-Digest');
  if (given === digest) return;
  const [algorithm] = given.split(':');
  assert.notEqual(algorithm, algorithmOf(digest), `Docker-Content-Digest is ${given} instead of ${digest}`);
  assert.equal(given, digestOf(bytes, algorithm === 'sha512' ? 'sha512' : 'sha256'));
}

/** Checks an error's body ("Error Codes"): a list of errors with codes, one of them as expected. */
export function checkErrors(body: Buffer, ...codes: readonly string[]): void {
  const { errors = [] } = JSON.parse(body.toString()) as { errors?: readonly { code?: unknown }[] };
  const found = errors.map(({ code }) => String(code));
  assert.ok(
    found.some((code) => codes.includes(code)),
    `errors ${found.join(', ')} instead of ${codes.join(' or ')}`,
  );
}
