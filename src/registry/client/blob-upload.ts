import type { Readable } from 'node:stream';
import type { Descriptor, Digest } from '#oci';
import { requestName } from './network-failure.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { Session } from './session.ts';
import { headerOf, type Answer } from './transport.ts';

export interface UploadOptions {
  readonly session: Session;
  /** Repository below the registry, `library/busybox`. */
  readonly path: string;
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
}

/** Where an upload continues (distribution-spec, pushing blobs). */
function locationOf(answer: Answer): URL {
  const location = headerOf(answer, 'location');
  if (location === undefined || !URL.canParse(location, answer.url)) {
    throw new RegistryFailure(
      'internal',
      `${requestName(answer.method, answer.url)}: the registry names no upload location`,
    );
  }
  return new URL(location, answer.url);
}

function expectStatus(answer: Answer, expected: number): void {
  if (answer.status === expected) return;
  const name = requestName(answer.method, answer.url);
  throw new RegistryFailure('internal', `${name}: received unexpected HTTP status: ${answer.status}`);
}

/** One blob in one PUT, one attempt. */
export async function uploadBlob(
  options: UploadOptions,
  { digest, size }: Descriptor,
  open: () => Promise<Readable>,
): Promise<void> {
  const { session, path, scopes, signal } = options;
  const begun = await session.request({
    method: 'POST',
    target: `${path}/blobs/uploads/`,
    headers: { 'content-length': '0' },
    scopes,
    signal,
  });
  await begun.discard();
  expectStatus(begun, 202);
  const target = locationOf(begun);
  target.searchParams.set('digest', digest);
  const body = await open();
  try {
    const answer = await session.request({
      method: 'PUT',
      target,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body,
      scopes,
      signal,
    });
    await answer.discard();
    expectStatus(answer, 201);
  } finally {
    body.destroy();
  }
}

/** Asks the registry to take the blob from another of its repositories; false when it wants an upload. */
export async function mountBlob(options: UploadOptions, digest: Digest, from: string): Promise<boolean> {
  const { session, path, scopes, signal } = options;
  const query = new URLSearchParams({ mount: digest, from });
  const answer = await session.request({
    method: 'POST',
    target: `${path}/blobs/uploads/?${query.toString()}`,
    headers: { 'content-length': '0' },
    scopes: [...scopes, `repository:${from}:pull`],
    signal,
  });
  await answer.discard();
  if (answer.status === 201) return true;
  expectStatus(answer, 202);
  // The registry has begun an upload that nobody will finish. Being tidy is no reason to fail.
  const target = locationOf(answer);
  await session
    .request({ method: 'DELETE', target, scopes, signal })
    .then((ended) => ended.discard())
    .catch(() => undefined);
  return false;
}
