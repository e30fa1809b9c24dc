import { Code, ConnectError } from '@connectrpc/connect';
import { kindOf, messageOf, type ErrorKind } from '#kernel';
import { DockerfileError } from '../dockerfile/location.ts';
import type { Prepared } from './build-job.ts';
import { SourceSchema } from '#buildkit';
import { rangeOf } from './progress.ts';

const codes: Partial<Record<ErrorKind, Code>> = {
  notFound: Code.NotFound,
  unimplemented: Code.Unimplemented,
  unavailable: Code.Unavailable,
};

/** An error as BuildKit's clients know it: with the place in the Dockerfile, which they then show. */
export function buildError(error: unknown, prepared: Prepared | undefined): ConnectError {
  if (error instanceof ConnectError) return error;
  const failure = new ConnectError(messageOf(error), codes[kindOf(error)] ?? Code.Unknown);
  if (error instanceof DockerfileError && prepared && error.locations.length > 0) {
    const info = { filename: prepared.name, data: Buffer.from(prepared.text), language: 'Dockerfile' };
    failure.details = [{ desc: SourceSchema, value: { info, ranges: error.locations.map(rangeOf) } }];
  }
  return failure;
}
