import { randomUUID } from 'node:crypto';
import { formatTime } from '#kernel';
import type { Call } from '../answer.ts';
import type { ManifestEntry } from '../registry-store.ts';
import { originOf } from '../request-origin.ts';

/** Content-Type of an envelope, as docker-registry sends it. */
export const envelopeType = 'application/vnd.docker.distribution.events.v1+json';

export type NotifiedAction = 'push' | 'pull' | 'delete';

/** What an event is about: a manifest, or with a deletion only what it was called. */
export interface EventTarget {
  readonly repository: string;
  readonly digest?: string | undefined;
  readonly tag?: string | undefined;
  readonly manifest?: ManifestEntry | undefined;
}

/** Who sends: `addr` is the registry's host and port, `instanceID` is of one run of it. */
export interface EventSource {
  readonly addr: string;
  readonly instanceID: string;
}

/** One event in an envelope of distribution's notification format, field by field as docker-registry 2.8 writes it. */
export function envelopeOf(
  action: NotifiedAction,
  target: EventTarget,
  {
    call,
    source,
    time,
  }: { readonly call: Call | undefined; readonly source: EventSource; readonly time: bigint },
): string {
  const event = {
    id: randomUUID(),
    timestamp: formatTime(time),
    action,
    target: targetOf(target, call),
    request: call === undefined ? {} : requestOf(call),
    actor: call === undefined ? { name: 'retention' } : call.user === undefined ? {} : { name: call.user },
    source,
  };
  return JSON.stringify({ events: [event] });
}

function targetOf({ repository, digest, tag, manifest }: EventTarget, call: Call | undefined): object {
  if (!manifest)
    return { ...(digest !== undefined && { digest }), repository, ...(tag !== undefined && { tag }) };
  return {
    mediaType: manifest.mediaType,
    size: manifest.size,
    digest: manifest.digest,
    length: manifest.size,
    repository,
    ...(call && { url: `${originOf(call.request)}/v2/${repository}/manifests/${manifest.digest}` }),
    ...(tag !== undefined && { tag }),
  };
}

const requestOf = ({ id, request, method }: Call): object => ({
  id,
  addr: `${request.socket.remoteAddress ?? ''}:${request.socket.remotePort ?? 0}`,
  host: request.headers.host ?? '',
  method,
  useragent: request.headers['user-agent'] ?? '',
});
