import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { buildablePlatforms } from '../ops/emulation.ts';
import { buildError } from './build-error.ts';
import type { BuildJob } from './build-job.ts';
import { cacheControl } from './cache-control.ts';
import { Control, gateway, type WorkerRecordSchema, TraceService } from '#buildkit';
import { checkFrontend } from './frontend-choice.ts';
import type { Jobs } from './jobs.ts';
import { solve, type SolveParts } from './solve.ts';

export interface ServiceParts extends SolveParts {
  readonly version: string;
  /** Address that `host-gateway` stands for in a build; undefined where there is none. */
  hostGateway(): string | undefined;
}

/** What the engine can do, in the words in which clients ask before they use it. */
const frontendCapabilities = [
  'frontend.caps',
  'gateway.solve.metadata',
  'proto.refarray',
  'return',
  'returnmap',
  'solve.base',
];
const capabilities = [
  'exporter.image.annotations',
  'exporter.image.attestations',
  'exporter.multiple',
  'exporter.session',
  'exporter.sourcedateepoch',
  'source.local',
  'source.local.sharedkeyhint',
  'source.image',
  'exec.meta.base',
  'gc.freespacefilter',
];

const named = (ids: readonly string[]): { id: string; enabled: boolean }[] =>
  ids.map((id) => ({ id, enabled: true }));

/** The calls of BuildKit's clients: control of builds, the frontend bridge, and traces, which are not kept. */
export function buildServices(parts: ServiceParts, jobs: Jobs): (router: ConnectRouter) => void {
  const worker = (): MessageInitShape<typeof WorkerRecordSchema> => {
    const gateway = parts.hostGateway();
    return {
      id: 'wharf',
      labels: {
        // By this clients know a store that keeps indexes: then they ask for several platforms and all outputs.
        'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
        ...(gateway !== undefined && { 'org.mobyproject.buildkit.worker.moby.host-gateway-ip': gateway }),
      },
      platforms: buildablePlatforms().map(({ os, architecture, variant }) => ({
        os,
        architecture,
        ...(variant !== undefined && { variant }),
      })),
      buildkitVersion: { package: 'wharf', version: `v${parts.version}`, revision: '' },
    };
  };
  const jobOf = async (context: HandlerContext): Promise<BuildJob> =>
    jobs.get(context.requestHeader.get('buildkit-controlapi-buildid') ?? '', context.signal);
  return (router) => {
    router.service(Control, {
      ...cacheControl(parts.builds.cache),
      listWorkers: () => ({ record: [worker()] }),
      info: () => ({ buildkitVersion: { package: 'wharf', version: `v${parts.version}` } }),
      async *status({ ref }, { signal }) {
        const job = await jobs.get(ref, signal);
        yield* job.progress.stream(signal);
      },
      solve: async (request, { signal }) => ({
        exporterResponse: await solve(parts, jobs, request, { signal }),
      }),
    });
    router.service(gateway.LLBBridge, {
      ping: () => ({
        frontendApiCaps: named(frontendCapabilities),
        llbCaps: named(capabilities),
        workers: [worker()],
      }),
      solve: async (request, context) => {
        const job = await jobOf(context);
        try {
          checkFrontend(request.frontend, request.frontendOpt);
          const question = request.frontendOpt['requestid'];
          if (question !== undefined) {
            return { result: { metadata: encoded(await job.answer(question, request.frontendOpt)) } };
          }
          const prepared = await job.prepare(request.frontendOpt);
          return { result: { result: { case: 'ref', value: { id: `${job.ref} ${prepared.name}` } } } };
        } catch (error) {
          throw buildError(error, job.prepared);
        }
      },
      return: async ({ error, result }, context) => {
        const job = await jobOf(context);
        if (error) job.fail(buildError(new Error(error.message), job.prepared));
        else job.return(hasFileSystem(result) ? job.prepared : undefined);
        return {};
      },
    });
    router.service(TraceService, { export: () => ({}) });
  };
}

/** The answer to a question has none. */
function hasFileSystem(result: gateway.Result | undefined): boolean {
  if (result?.result.case === 'ref') return result.result.value.id !== '';
  return result?.result.case === 'refs';
}

const encoded = (texts: Readonly<Record<string, string>>): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
