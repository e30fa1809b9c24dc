import { createHash } from 'node:crypto';
import { isSecretName } from '../checks/secret-names.ts';
import { splitAssignment } from '../dockerfile/variables.ts';
import type { Vertex } from '../graph/vertex.ts';

/** Enough to tell that a value has changed. */
const digestOf = (name: string, value: string): string =>
  isSecretName(name) ? createHash('sha256').update(value).digest('hex') : value;

/** Variables with digests in place of the values of those whose names say that they are secrets. */
export const withoutSecrets = (
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, digestOf(name, value)]));

/** The same of a command's environment. */
export function withoutSecretValues(vertex: Vertex): Vertex {
  if (vertex.kind !== 'exec') return vertex;
  const env = vertex.env.map((variable) => {
    const [name, value] = splitAssignment(variable);
    return `${name}=${digestOf(name, value)}`;
  });
  return { ...vertex, env };
}
