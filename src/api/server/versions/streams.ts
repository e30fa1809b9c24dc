import type { EventMessage } from '#events';
import { apiVersion, type ApiVersion } from '../api-version.ts';

const framedType = apiVersion('1.42');
const linesType = apiVersion('1.52');

const rawStream = 'application/vnd.docker.raw-stream';

/** The content type of attach, exec and logs. Older clients look at the container's Tty instead. */
export function streamContentType(version: ApiVersion, tty: boolean): string {
  return tty || version < framedType ? rawStream : 'application/vnd.docker.multiplexed-stream';
}

/** How events are parted and announced, by version and the header Accept. */
export function eventFormat(
  version: ApiVersion,
  accept: string,
): { readonly contentType: string; readonly before: string } {
  if (version < linesType) return { contentType: 'application/json', before: '' };
  if (accept.includes('application/json-seq')) return { contentType: 'application/json-seq', before: '\x1e' };
  if (accept.includes('application/x-ndjson')) return { contentType: 'application/x-ndjson', before: '' };
  return { contentType: 'application/jsonl', before: '' };
}

const imageCreation = apiVersion('1.46');

/** Whether clients of the version know the event. */
export const tellsEvent = (version: ApiVersion, { Type, Action }: EventMessage): boolean =>
  version >= imageCreation || Type !== 'image' || Action !== 'create';

/** Keys that events of containers and images had before 1.52: clients of that time crash without them. */
export function legacyEventKeys(
  version: ApiVersion,
  event: EventMessage,
): { readonly status?: string; readonly id?: string; readonly from?: string } {
  if (version >= linesType) return {};
  if (event.Type === 'container') {
    const from = event.Actor.Attributes['image'];
    return { status: event.Action, id: event.Actor.ID, ...(from === undefined ? {} : { from }) };
  }
  return event.Type === 'image' ? { status: event.Action, id: event.Actor.ID } : {};
}

const binaryFrames = apiVersion('1.28');

/** Output over a WebSocket was text once, whatever bytes it has. */
export const webSocketFrameKind = (version: ApiVersion): 'text' | 'binary' =>
  version < binaryFrames ? 'text' : 'binary';
