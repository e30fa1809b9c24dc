import { Code, ConnectError } from '@connectrpc/connect';
import { SourceSchema } from '#buildkit';
import { messageOf } from '#kernel';
import { sourceExcerpt } from './source-excerpt.ts';

/** The engine's reason with the places in the Dockerfile that it names before it, for the end of a program. */
export function failureText(error: unknown, before: string): string {
  if (!(error instanceof ConnectError)) return `ERROR: ${before}${messageOf(error)}`;
  const excerpts = error.findDetails(SourceSchema).map(({ info, ranges }) => sourceExcerpt(info, ranges));
  return `${excerpts.join('')}ERROR: ${before}failed to solve: ${rawReason(error)}`;
}

/** The image in which what the failed command left is kept, if that was asked for. */
export const keptImage = (error: unknown): string | undefined =>
  error instanceof ConnectError ? (error.metadata.get('wharf-failed-image') ?? undefined) : undefined;

/** A kind of failure that has a name stands before its reason, as gRPC's clients have it. */
const rawReason = ({ code, rawMessage }: ConnectError): string =>
  code === Code.Unknown ? rawMessage : `${Code[code]}: ${rawMessage}`;
