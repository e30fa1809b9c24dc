/** A JSON object whose fields a transform adds, drops or replaces. */
export type JsonObject = Readonly<Record<string, unknown>>;

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The field as an object; empty when it is none. */
export function objectAt(value: JsonObject, field: string): JsonObject {
  const found = value[field];
  return isJsonObject(found) ? found : {};
}

/** Without some fields. */
export function without(value: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !fields.includes(name)));
}

/** The list with each object changed; anything else as it is. */
export const each =
  (change: (item: JsonObject) => JsonObject) =>
  (value: unknown): unknown =>
    Array.isArray(value) ? value.map((item: unknown) => (isJsonObject(item) ? change(item) : item)) : value;

export const whole =
  (change: (value: JsonObject) => JsonObject) =>
  (value: unknown): unknown =>
    isJsonObject(value) ? change(value) : value;
