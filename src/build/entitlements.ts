import { invalidArgument } from '#kernel';
import { DockerfileError } from './dockerfile/location.ts';
import type { BuildGraph } from './graph/graph-builder.ts';
import type { ExecVertex } from './graph/vertex.ts';

/** What the engine's configuration lets clients grant their builds. */
export interface GrantableRights {
  readonly networkHost: boolean;
  readonly securityInsecure: boolean;
  readonly device: boolean;
}

/** What a client has granted a build beyond what every build may do. */
export interface Entitlements {
  readonly networkHost: boolean;
  readonly securityInsecure: boolean;
  /** CDI devices by name or kind. */
  readonly devices: 'all' | ReadonlySet<string>;
}

export const noEntitlements: Entitlements = {
  networkHost: false,
  securityInsecure: false,
  devices: new Set(),
};

type Right = 'network.host' | 'security.insecure' | 'device';

const keys: Readonly<Record<Right, keyof GrantableRights>> = {
  'network.host': 'networkHost',
  'security.insecure': 'securityInsecure',
  device: 'device',
};

const isRight = (name: string): name is Right => Object.hasOwn(keys, name);

/**
 * Reads what a client grants: `network.host`, `security.insecure`, `device` or `device=NAME`. Throws invalidArgument,
 * in BuildKit's words, for what there is not or what the engine does not allow.
 */
export function grantEntitlements(asked: readonly string[], allowed: GrantableRights): Entitlements {
  const granted = { networkHost: false, securityInsecure: false };
  const devices = new Set<string>();
  let allDevices = false;
  for (const text of asked) {
    const at = text.indexOf('=');
    const name = at === -1 ? text : text.slice(0, at);
    const value = at === -1 ? '' : text.slice(at + 1);
    if (!isRight(name) || (value !== '' && name !== 'device')) {
      throw invalidArgument(`unknown entitlement ${text}`);
    }
    if (!allowed[keys[name]]) {
      throw invalidArgument(`granting entitlement ${name} is not allowed by build daemon configuration`);
    }
    if (name === 'network.host') granted.networkHost = true;
    else if (name === 'security.insecure') granted.securityInsecure = true;
    else if (value === '') allDevices = true;
    else devices.add(value.split(',')[0] ?? '');
  }
  return { ...granted, devices: allDevices ? 'all' : devices };
}

/** What a command needs that it was not granted; undefined for nothing. */
function missingRight(vertex: ExecVertex, granted: Entitlements): string | undefined {
  if (vertex.network === 'host' && !granted.networkHost) return 'network.host is not allowed';
  if (vertex.security === 'insecure' && !granted.securityInsecure) return 'security.insecure is not allowed';
  const { devices } = granted;
  if (devices === 'all') return undefined;
  const kindOf = (name: string): string => name.split('=')[0] ?? '';
  const denied = vertex.devices.find(({ name }) => !devices.has(name) && !devices.has(kindOf(name)));
  return denied && `device ${denied.name} is not allowed`;
}

/** Throws, before anything is done, where a build needs what it was not granted. */
export function checkEntitlements({ vertices, steps }: BuildGraph, granted: Entitlements): void {
  for (const [id, vertex] of vertices) {
    if (vertex.kind !== 'exec') continue;
    const missing = missingRight(vertex, granted);
    if (missing === undefined) continue;
    const location = steps.get(id)?.location;
    throw new DockerfileError(`failed to load LLB: ${missing}`, location ? [location] : []);
  }
}
