import type { Duplex } from 'node:stream';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { buildablePlatforms } from '../ops/emulation.ts';
import { buildError } from './build-error.ts';
import { bridgeService } from './bridge.ts';
import { introductionOf } from './client-session.ts';
import { connectInside } from './inner-connection.ts';
import { cacheControl } from './cache-control.ts';
import { contentService } from './content-service.ts';
import { content, Control, gateway, type WorkerRecordSchema, TraceService } from '#buildkit';
import type { HistoryStore } from '../history/history-store.ts';
import type { Jobs } from './jobs.ts';
import { solve, type SolveParts } from './solve.ts';

export interface ServiceParts extends SolveParts {
  readonly history: HistoryStore;
  /** Address that `host-gateway` stands for in a build; undefined where there is none. */
  hostGateway(): string | undefined;
}

/** What the engine can do, in the words in which clients ask before they use it. */
const frontendCapabilities = [
  'frontend.caps',
  'frontend.inputs',
  'gateway.evaluate',
  'gateway.solve.evaluate',
  'gateway.solve.metadata',
  'proto.refarray',
  'readdir',
  'readfile',
  'reference.output',
  'return',
  'returnmap',
  'solve.base',
  'statfile',
];
const capabilities = [
  'constraints',
  'exporter.image.annotations',
  'exporter.image.attestations',
  'exporter.multiple',
  'exporter.session',
  'exporter.sourcedateepoch',
  'file.base',
  'meta.description',
  'platform',
  'source.git',
  'source.git.checksum',
  'source.git.fullurl',
  'source.git.httpauth',
  'source.git.keepgitdir',
  'source.git.skipsubmodules',
  'source.git.subdir',
  'source.http',
  'source.http.checksum',
  'source.local',
  'source.local.sharedkeyhint',
  'source.image',
  'exec.meta.base',
  'gc.freespacefilter',
  // Clients leave these caches out where they are not named, and nobody is told; so they are refused with a reason.
  'cache.gha',
  'cache.s3',
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
  return (router) => {
    router.service(Control, {
      ...cacheControl(parts.builds.cache),
      listWorkers: () => ({ record: [worker()] }),
      info: () => ({ buildkitVersion: { package: 'wharf', version: `v${parts.version}` } }),
      async *status({ ref }, { signal }) {
        const past = jobs.has(ref) ? undefined : await parts.records.replay(ref);
        yield* past ?? (await jobs.get(ref, signal)).progress.stream(signal);
      },
      async *listenBuildHistory(request, { signal }) {
        try {
          yield* parts.records.listen(request, signal);
        } catch (error) {
          throw buildError(error, undefined);
        }
      },
      updateBuildHistory: async (request) => {
        await parts.records.update(request).catch((error: unknown) => {
          throw buildError(error, undefined);
        });
        return {};
      },
      session: (messages, { requestHeader }) =>
        connectInside(messages, (socket) => openSession(parts, requestHeader, socket)),
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
      ...bridgeService(jobs),
    });
    router.service(content.Content, contentService(parts.history));
    router.service(TraceService, { export: () => ({}) });
  };
}

/** Throws ConnectError. */
function openSession({ sessions }: ServiceParts, metadata: Headers, socket: Duplex): void {
  try {
    sessions.open(introductionOf(metadata), socket);
  } catch (error) {
    throw buildError(error, undefined);
  }
}
