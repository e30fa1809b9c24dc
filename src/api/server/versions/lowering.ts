import type { ApiVersion } from '../api-version.ts';
import type { JsonObject } from './json-object.ts';

/** Makes an answer what it was before a version changed it. */
export interface Lowering {
  /** Applies to requests of versions before this one. */
  readonly before: string;
  readonly lower: (value: JsonObject, version: ApiVersion) => JsonObject;
}
