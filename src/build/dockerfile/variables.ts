/** What `$name` may stand for. */
export interface Variables {
  get(name: string): string | undefined;
  /** Offered where a name is mistyped. */
  keys(): Iterable<string>;
}

/** An environment in the order in which its variables were last set. */
export type Environment = ReadonlyMap<string, string>;

export const noVariables: Environment = new Map();

/** The environment with one variable more; one that was there moves to the end. */
export function withVariable(environment: Environment, name: string, value: string): Environment {
  const next = new Map(environment);
  next.delete(name);
  return next.set(name, value);
}

/** `K=V` as name and value; without `=` the value is empty. */
export function splitAssignment(text: string): [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** From `K=V` texts; of a name that comes twice the last counts. */
export function environmentOf(assignments: readonly string[]): Environment {
  let environment = noVariables;
  for (const text of assignments) environment = withVariable(environment, ...splitAssignment(text));
  return environment;
}
