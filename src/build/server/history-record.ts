import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectError } from '@connectrpc/connect';
import {
  BuildHistoryRecordSchema,
  BuildResultInfoSchema,
  HistoryErrorSchema,
  type BuildHistoryRecord,
  HistoryDescriptorSchema,
  type HistoryDescriptor,
  type HistoryError,
  type SolveRequest,
} from '#buildkit';
import { digestOf, type Descriptor, type Digest } from '#oci';
import type { ExportResponse } from '../export/exporter.ts';
import type { BuildFindings } from '../history/build-findings.ts';
import type { FrontendOptions } from './frontend-options.ts';
import type { BuildProgress } from './progress.ts';
import { encodeStatusLog } from './status-log.ts';

/** A build as it begins. */
export interface BegunBuild {
  readonly request: SolveRequest;
  /** Nanoseconds since the epoch. */
  readonly startedAt: bigint;
}

/** How it went. */
export interface EndedBuild {
  readonly endedAt: bigint;
  readonly options: FrontendOptions;
  readonly progress: Pick<BuildProgress, 'counts' | 'told'>;
  readonly response: ExportResponse;
  readonly findings: BuildFindings | undefined;
  readonly error: ConnectError | undefined;
}

const timestampOf = (time: bigint): ReturnType<typeof timestampFromMs> => ({
  ...timestampFromMs(0),
  seconds: time / 1_000_000_000n,
  nanos: Number(time % 1_000_000_000n),
});

/** What is told of a build that is under way. */
export function begunRecord({ request, startedAt }: BegunBuild): BuildHistoryRecord {
  const { ref, frontend, frontendAttrs, exporters, exporter, exporterAttrs } = request;
  const asked = exporters.length > 0 ? exporters : [{ type: exporter, attrs: exporterAttrs }];
  return create(BuildHistoryRecordSchema, {
    ...{ ref, frontend, frontendAttrs, createdAt: timestampOf(startedAt), generation: 1 },
    exporters: asked.filter(({ type }) => type !== '').map(({ type, attrs }) => ({ type, attrs })),
  });
}

/** What is told of it from its end on, and the blobs that it names. */
export function endedRecord(
  begun: BegunBuild,
  ended: EndedBuild,
): { readonly record: BuildHistoryRecord; readonly blobs: ReadonlyMap<Digest, Uint8Array> } {
  const { endedAt, options, progress, response, findings, error } = ended;
  const blobs = new Map(findings?.blobs);
  const keep = (mediaType: string, data: Uint8Array): HistoryDescriptor => {
    const digest = digestOf(data);
    blobs.set(digest, data);
    return descriptorOf({ mediaType, digest, size: data.length });
  };
  const { total, completed, cached } = progress.counts;
  const failure = error && errorOf(error);
  const record = create(BuildHistoryRecordSchema, {
    ...begunRecord(begun),
    completedAt: timestampOf(endedAt),
    frontendAttrs: { ...begun.request.frontendAttrs, ...options },
    exporterResponse: { ...response },
    logs: keep('application/vnd.buildkit.status.v0', encodeStatusLog(progress.told)),
    ...{ numTotalSteps: total, numCompletedSteps: completed, numCachedSteps: cached },
    numWarnings: progress.told.reduce((count, { warnings }) => count + warnings.length, 0),
    ...resultsOf(findings),
    ...(failure && {
      error: create(HistoryErrorSchema, { code: failure.code, message: failure.message }),
      externalError: keep(
        'application/vnd.googeapis.google.rpc.status+proto',
        toBinary(HistoryErrorSchema, failure),
      ),
    }),
  });
  return { record, blobs };
}

const descriptorOf = ({ mediaType, digest, size, annotations = {} }: Descriptor): HistoryDescriptor =>
  create(HistoryDescriptorSchema, { mediaType, digest, size: BigInt(size), annotations });

type Results = Partial<Pick<BuildHistoryRecord, 'result' | 'results'>>;

/** A build for one platform has one result, others one for each platform beside what they have in common. */
function resultsOf(findings: BuildFindings | undefined): Results {
  if (!findings) return {};
  const { statements, result } = findings;
  const image = result && descriptorOf(result);
  const common = image ? { firstResult: image, results: { 0: image } } : {};
  const said = statements.map(({ platform, descriptor }) => ({
    platform,
    attestations: [descriptorOf(descriptor)],
  }));
  const [only, ...others] = said;
  if (only && others.length === 0) {
    return { result: create(BuildResultInfoSchema, { ...common, attestations: only.attestations }) };
  }
  const each = said.map(
    ({ platform, attestations }) => [platform, create(BuildResultInfoSchema, { attestations })] as const,
  );
  return { result: create(BuildResultInfoSchema, common), results: Object.fromEntries(each) };
}

/** With everything that clients show of it: the place in the Dockerfile. */
function errorOf(error: ConnectError): HistoryError {
  const details = error.details.flatMap((detail) =>
    'desc' in detail
      ? [
          {
            typeUrl: `type.googleapis.com/${detail.desc.typeName}`,
            value: toBinary(detail.desc, create(detail.desc, detail.value)),
          },
        ]
      : [],
  );
  return create(HistoryErrorSchema, { code: error.code, message: error.rawMessage, details });
}
