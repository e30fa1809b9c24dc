import { readFileSync } from 'node:fs';
import { Code, ConnectError } from '@connectrpc/connect';
import { Secrets } from '#buildkit';
import { unary, type SessionService } from './session-service.ts';

/** Where a secret is found when a build asks for it. */
export type SecretSource = { readonly file: string } | { readonly variable: string };

/** Bytes; BuildKit's limit. */
const largest = 500 * 1024;

/** Serves secrets by their ids. One that is not there is "not found", which the engine may put up with. */
export const secrets = (
  sources: ReadonlyMap<string, SecretSource>,
  env: Readonly<Record<string, string | undefined>>,
): SessionService =>
  unary(Secrets.method.getSecret, ({ id }) => {
    const data = secretOf(sources.get(id), env);
    if (data === undefined) throw new ConnectError(`secret ${id}: not found`, Code.NotFound);
    if (data.length > largest) {
      throw new ConnectError(
        `invalid secret size ${data.length}, maximum allowed is ${largest}`,
        Code.InvalidArgument,
      );
    }
    return { data };
  });

function secretOf(
  source: SecretSource | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Buffer | undefined {
  if (!source) return undefined;
  if ('file' in source) return readFileSync(source.file);
  const value = env[source.variable];
  return value === undefined ? undefined : Buffer.from(value);
}
