import { Code, ConnectError } from '@connectrpc/connect';
import { SourceSchema } from '#buildkit';
import { messageOf } from '#kernel';
import { sourceExcerpt, type LineRange, type Source } from './source-excerpt.ts';

/** The engine's reason with the places in the Dockerfile that it names before it, for the end of a program. */
export function failureText(error: unknown, before: string): string {
  if (!(error instanceof ConnectError)) return `ERROR: ${before}${messageOf(error)}`;
  const places = [...error.findDetails(SourceSchema), ...jsonPlaces(error)];
  const excerpts = places.map(({ info, ranges }) => sourceExcerpt(info, ranges));
  return `${excerpts.join('')}ERROR: ${before}failed to solve: ${rawReason(error)}`;
}

interface Place {
  readonly info: Source;
  readonly ranges: readonly LineRange[];
}

/** Places as BuildKit itself writes them: in JSON. */
function jsonPlaces({ details }: ConnectError): readonly Place[] {
  return details.flatMap((detail) => {
    if (!('type' in detail) || detail.type !== 'errdefs.Source+json') return [];
    // BuildKit's own words, as its package errdefs has them.
    const { info, ranges = [] } = JSON.parse(Buffer.from(detail.value).toString()) as {
      readonly info?: { readonly filename?: string; readonly data?: string };
      readonly ranges?: readonly LineRange[];
    };
    return [
      { info: { filename: info?.filename ?? '', data: Buffer.from(info?.data ?? '', 'base64') }, ranges },
    ];
  });
}

/** The image in which what the failed command left is kept, if that was asked for. */
export const keptImage = (error: unknown): string | undefined =>
  error instanceof ConnectError ? (error.metadata.get('wharf-failed-image') ?? undefined) : undefined;

/** A kind of failure that has a name stands before its reason, as gRPC's clients have it. */
const rawReason = ({ code, rawMessage }: ConnectError): string =>
  code === Code.Unknown ? rawMessage : `${Code[code]}: ${rawMessage}`;
