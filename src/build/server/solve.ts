import type { SolveRequest } from '#buildkit';
import type { RegistryClient } from '#registry/client';
import type { ExportResponse } from '../export/exporter.ts';
import { grantEntitlements, type Entitlements, type GrantableRights } from '../entitlements.ts';
import { Code, ConnectError } from '@connectrpc/connect';
import { buildError } from './build-error.ts';
import type { BuildHistory } from './build-history.ts';
import { BuildJob, type JobClient, type JobParts } from './build-job.ts';
import type { BuildFiles } from './client-files.ts';
import { cacheRequestOf } from './cache-options.ts';
import { credentialsFor, exportersOf } from './exports.ts';
import type { Jobs } from './jobs.ts';
import type { Sessions } from './sessions.ts';

export interface SolveParts extends JobParts {
  readonly sessions: Sessions;
  readonly records: BuildHistory;
  /** What the configuration lets clients grant. */
  readonly grantable: GrantableRights;
  /** Where caches are kept. */
  readonly registry: RegistryClient;
}

export interface SolveOptions {
  readonly signal: AbortSignal;
  /** The client's files where they came with the request; the session is then needed for nothing else. */
  readonly files?: BuildFiles;
}

/** A whole build, of a frontend's options or of what the client asks the bridge for meanwhile. Throws ConnectError. */
export async function solve(
  parts: SolveParts,
  jobs: Jobs,
  request: SolveRequest,
  { signal, files }: SolveOptions,
): Promise<ExportResponse> {
  const isAlone = files !== undefined && request.session === '';
  const session = isAlone ? undefined : await parts.sessions.get(request.session, signal);
  const entitlements = entitlementsOf(request, parts.grantable);
  const caches: JobClient['caches'] = (asking, options) =>
    cacheRequestOf(request, options, {
      ...parts,
      session,
      credentials: (name) => credentialsFor(asking, name),
    });
  const client = { session, entitlements, caches, ...(files && { files }) };
  const job = new BuildJob(request.ref, client, signal, parts);
  using _live = jobs.add(job);
  using _kept = await parts.contexts.use();
  const begun = { request, startedAt: job.startedAt };
  const recording = request.internal ? undefined : parts.records.begin(begun);
  let response: ExportResponse = {};
  let failure: ConnectError | undefined;
  try {
    if (request.frontend !== '') job.return(await job.prepare(request.frontendAttrs));
    const prepared = await job.returned();
    if (prepared) response = await job.build(prepared, exportersOf(request, job));
    return response;
  } catch (error) {
    failure = buildError(error, job.prepared);
    throw failure;
  } finally {
    job.progress.end();
    await recording?.end({
      ...{ endedAt: parts.clock.now(), progress: job.progress, response },
      error: failure && job.signal.aborted ? new ConnectError('context canceled', Code.Canceled) : failure,
      ...{ options: job.prepared?.options ?? {}, findings: job.findings },
    });
  }
}

function entitlementsOf({ entitlements }: SolveRequest, allowed: GrantableRights): Entitlements {
  try {
    return grantEntitlements(entitlements, allowed);
  } catch (error) {
    throw buildError(error, undefined);
  }
}
