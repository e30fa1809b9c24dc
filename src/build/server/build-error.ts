import { Code, ConnectError } from '@connectrpc/connect';
import { kindOf, messageOf, type ErrorKind } from '#kernel';
import { DockerfileError, type Location } from '../dockerfile/location.ts';
import { StepError } from '../solver/step-error.ts';
import { failedCommand } from '../ops/command-error.ts';
import { keptImageHeader } from './explain-option.ts';
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
  const kept = failedCommand(error)?.kept;
  if (kept !== undefined) failure.metadata.set(keptImageHeader, kept);
  const locations = locationsOf(error);
  if (prepared && locations.length > 0) {
    const info = { filename: prepared.name, data: Buffer.from(prepared.text), language: 'Dockerfile' };
    failure.details = [{ desc: SourceSchema, value: { info, ranges: locations.map(rangeOf) } }];
  }
  return failure;
}

function locationsOf(error: unknown): readonly Location[] {
  if (error instanceof DockerfileError) return error.locations;
  return error instanceof StepError && error.location ? [error.location] : [];
}
