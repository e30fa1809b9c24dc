import type {
  ContainerCreateRequest,
  EndpointSettings,
  ExecConfig,
  ExecStartConfig,
  HostConfig,
  UpdateConfig,
} from '#api/types';
import { invalidArgument } from '#kernel';
import { apiVersion, type ApiVersion } from '../api-version.ts';
import type { Query } from '../query.ts';

/** What a request of an older version means in the newest one. */
interface Lift<T> {
  /** Applies to requests of versions before this one. */
  readonly before: string;
  readonly lift: (request: T) => T;
}

const queryLifts: Readonly<Record<string, readonly Lift<Query>[]>> = {
  // The answer was whole lists.
  SystemDataUsage: [
    { before: '1.52', lift: (query) => query.with('verbose', '1') },
    { before: '1.42', lift: (query) => query.without('type') },
  ],
  // Named volumes were pruned as well.
  VolumePrune: [{ before: '1.42', lift: (query) => query.withFilter('all', 'true') }],
  ContainerStop: [{ before: '1.42', lift: (query) => query.without('signal') }],
  ContainerRestart: [{ before: '1.42', lift: (query) => query.without('signal') }],
  ContainerCreate: [{ before: '1.41', lift: (query) => query.without('platform') }],
  ContainerWait: [{ before: '1.30', lift: (query) => query.without('condition') }],
  ContainerStats: [{ before: '1.41', lift: (query) => query.without('one-shot') }],
  ImageInspect: [
    { before: '1.49', lift: (query) => query.without('platform') },
    { before: '1.48', lift: (query) => query.without('manifests') },
  ],
  ImageHistory: [{ before: '1.48', lift: (query) => query.without('platform') }],
  ImageDelete: [{ before: '1.50', lift: (query) => query.without('platforms') }],
  ImageLoad: [{ before: '1.48', lift: (query) => query.without('platform') }],
  ImageGet: [{ before: '1.48', lift: (query) => query.without('platform') }],
  ImageGetAll: [{ before: '1.48', lift: (query) => query.without('platform') }],
  ImagePush: [{ before: '1.46', lift: (query) => query.without('platform') }],
  ImageCreate: [{ before: '1.32', lift: (query) => query.without('platform') }],
  // `filter` was the name of the filter `reference`.
  ImageList: [
    { before: '1.47', lift: (query) => query.without('manifests') },
    { before: '1.42', lift: (query) => query.without('shared-size') },
    {
      before: '1.25',
      lift: (query) => (query.has('filter') ? query.withFilter('reference', query.text('filter')) : query),
    },
  ],
};

const createLifts: readonly Lift<ContainerCreateRequest>[] = [
  { before: '1.52', lift: moveMacAddress },
  { before: '1.43', lift: withHostConfig((host) => ({ ...host, Annotations: null })) },
  { before: '1.42', lift: withHostConfig((host) => ({ ...host, ConsoleSize: null })) },
  { before: '1.42', lift: withHostConfig(checkKernelMemory) },
  {
    before: '1.41',
    lift: withHostConfig((host) => ({ ...host, CgroupnsMode: host.CgroupnsMode || 'host' })),
  },
  { before: '1.40', lift: withHostConfig((host) => ({ ...host, IpcMode: host.IpcMode || 'shareable' })) },
  { before: '1.25', lift: withHostConfig((host) => ({ ...host, AutoRemove: false })) },
];

/** Later versions ignore it, whatever it is. */
function checkKernelMemory(host: HostConfig): HostConfig {
  const limit = host.KernelMemory ?? 0;
  if (limit > 0 && limit < 6 * 1024 * 1024)
    throw invalidArgument('Minimum kernel memory limit allowed is 6MB');
  return host;
}

/** One MAC address for the container was that of its first network. */
function moveMacAddress(request: ContainerCreateRequest): ContainerCreateRequest {
  const { MacAddress } = request;
  if (!MacAddress) return request;
  const network = request.HostConfig?.NetworkMode || 'default';
  const endpoints = request.NetworkingConfig?.EndpointsConfig ?? {};
  const endpoint: EndpointSettings = { MacAddress, ...endpoints[network] };
  return { ...request, NetworkingConfig: { EndpointsConfig: { ...endpoints, [network]: endpoint } } };
}

function withHostConfig(
  change: (host: HostConfig) => HostConfig,
): (request: ContainerCreateRequest) => ContainerCreateRequest {
  return (request) => ({ ...request, HostConfig: change(request.HostConfig ?? {}) });
}

const dropConsoleSize = <T extends ExecConfig | ExecStartConfig>(config: T): T => ({
  ...config,
  ConsoleSize: null,
});

/** By operationId; each lift fits what the operation's parser gives, which liftBody() relies on. */
const bodyLifts: Readonly<Record<string, unknown>> = {
  ContainerCreate: createLifts,
  ContainerExec: [{ before: '1.42', lift: dropConsoleSize }],
  ContainerUpdate: [{ before: '1.40', lift: (update: UpdateConfig) => ({ ...update, PidsLimit: null }) }],
  ExecStart: [{ before: '1.42', lift: dropConsoleSize }],
};

/** The query in its newest form. */
export function liftQuery(operation: string, version: ApiVersion, query: Query): Query {
  const lifts = queryLifts[operation];
  return lifts ? apply(lifts, version, query) : query;
}

/** The body, as the operation's parser read it, in its newest form. */
export function liftBody<T>(operation: string, version: ApiVersion, body: T): T {
  const lifts = bodyLifts[operation];
  // Registered under the operation whose parser gives T.
  return lifts ? apply(lifts as readonly Lift<T>[], version, body) : body;
}

function apply<T>(lifts: readonly Lift<T>[], version: ApiVersion, request: T): T {
  return lifts.reduce(
    (lifted, { before, lift }) => (version < apiVersion(before) ? lift(lifted) : lifted),
    request,
  );
}
