/** What a handler answers when it is not a stream: the status, and a value that becomes JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value; undefined: no body. */
  readonly json?: unknown;
  /** Text that stands for itself; without a content type of its own it is JSON. */
  readonly text?: string;
  /** JSON that is kept ready, in the form of the newest version or of an older one. */
  readonly ready?: (older?: OlderForm) => string;
}

/** How each object of an answer looked in an older version. Forms with one key are the same. */
export interface OlderForm {
  readonly key: string;
  lower(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

export const ok = (json: unknown): Answer => ({ status: 200, json });
export const created = (json: unknown): Answer => ({ status: 201, json });
export const noContent: Answer = { status: 204 };
/** 200 without a body. */
export const done: Answer = { status: 200 };

/** Go's encoder ends each value with a newline. */
export const encodeJson = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** The text of an answer's body, undefined when it has none. */
export function bodyOf(answer: Answer): string | undefined {
  if (answer.text !== undefined) return answer.text;
  if (answer.ready) return `${answer.ready()}\n`;
  return answer.json === undefined ? undefined : encodeJson(answer.json);
}

declare global {
  interface JSON {
    /** Text that stringify() writes as it is (JSON.parse source text access, ECMAScript 2026). */
    rawJSON(text: string): unknown;
  }
}

/** An integer beyond 2^53, written with all its digits. */
export const exactInteger = (value: bigint): unknown => JSON.rawJSON(value.toString());
