import { encodeJson, exactInteger } from '../answer.ts';
import type { ApiVersion } from '../api-version.ts';
import type { EventMessage } from '#events';
import { legacyEventKeys } from '../versions/index.ts';

/** An event as one line of the stream. */
export const eventLine = (event: EventMessage, version: ApiVersion): string =>
  encodeJson({ ...legacyEventKeys(version, event), ...event, timeNano: exactInteger(event.timeNano) });
