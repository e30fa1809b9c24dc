import {
  parseAuthConfig,
  type AuthConfig,
  type AuthResponse,
  type SystemInfo,
  type SystemVersion,
} from '#api/types';
import { formatTime } from '#kernel';
import { ok, type Answer } from '../answer.ts';
import { minApiVersion } from '../api-version.ts';
import type { Backends, ServerIdentity } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

type SystemBackends = Pick<Backends, 'system' | 'auth' | 'containers' | 'images' | 'clock'>;

const ping: Answer = {
  status: 200,
  headers: {
    'Builder-Version': '2',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
    'Content-Type': 'text/plain; charset=utf-8',
  },
};

const inactiveSwarm: SystemInfo['Swarm'] = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
};

/** `listeners`: how many streams of events are open. */
export function systemRoutes(
  backends: SystemBackends,
  identity: ServerIdentity,
  listeners: () => number,
): readonly Route[] {
  return [
    { method: 'HEAD', path: '/_ping', operation: 'SystemPingHead', handle: () => ping },
    { method: 'GET', path: '/_ping', operation: 'SystemPing', handle: () => ({ ...ping, text: 'OK' }) },
    {
      method: 'GET',
      path: '/version',
      operation: 'SystemVersion',
      handle: async () => ok(await version(backends, identity)),
    },
    {
      method: 'GET',
      path: '/info',
      operation: 'SystemInfo',
      handle: async () => ok(await info(backends, identity, listeners())),
    },
    {
      method: 'POST',
      path: '/auth',
      operation: 'SystemAuth',
      handle: async (exchange) => login(backends, exchange),
    },
  ];
}

async function version(backends: SystemBackends, identity: ServerIdentity): Promise<SystemVersion> {
  const { Platform, Components = [], ...facts } = await backends.system.version();
  const own = {
    Version: identity.engineVersion,
    ApiVersion: identity.maxApiVersion,
    MinAPIVersion: minApiVersion,
    ...facts,
    Experimental: identity.experimental,
  };
  const { Version, ...details } = own;
  const engine = {
    Name: 'Engine',
    Version,
    Details: Object.fromEntries(Object.entries(details).map(([name, value]) => [name, String(value)])),
  };
  // A build may tell more of the engine than this server knows.
  const components = Components.some(({ Name }) => Name === 'Engine') ? Components : [engine, ...Components];
  return { Platform, Components: components, ...own };
}

async function info(
  { system, containers, images, clock }: SystemBackends,
  identity: ServerIdentity,
  listeners: number,
): Promise<SystemInfo> {
  const facts = await system.info();
  const states = containers.list().map((record) => record.state);
  const running = states.filter((state) => state.status === 'running');
  const paused = running.filter((state) => state.paused).length;
  return {
    ...facts,
    Containers: states.length,
    ContainersRunning: running.length - paused,
    ContainersPaused: paused,
    ContainersStopped: states.length - running.length,
    Images: images.list().length,
    SystemTime: formatTime(clock.now()),
    NEventsListener: listeners,
    OSType: 'linux',
    ServerVersion: identity.engineVersion,
    ExperimentalBuild: identity.experimental,
    GenericResources: null,
    Isolation: '',
    Swarm: inactiveSwarm,
  };
}

async function login({ auth }: SystemBackends, exchange: Exchange): Promise<Answer> {
  const credentials = await exchange.body(parseAuthConfig);
  const IdentityToken = await auth.login(credentials, { signal: exchange.signal });
  const answer: AuthResponse = { Status: 'Login Succeeded', IdentityToken };
  return ok(answer);
}

/**
 * The credentials in X-Registry-Auth: base64 of JSON in any alphabet, padded or not. A missing or broken header is
 * none, as clients expect that send one which they do not mean.
 */
export function registryAuth(exchange: Exchange): AuthConfig {
  const header = exchange.header('x-registry-auth');
  if (header === '') return {};
  try {
    // Buffer reads both alphabets.
    return parseAuthConfig(JSON.parse(Buffer.from(header, 'base64').toString('utf8')));
  } catch {
    return {};
  }
}
