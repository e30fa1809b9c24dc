import type { Endpoint } from './networks.ts';
import type { StoredEndpoint } from './sandbox-store.ts';

/** The endpoint that gives the default route: the first with the highest priority among those with a gateway. */
export function gatewayEndpoint(
  endpoints: readonly StoredEndpoint[],
  family: 'ipv4' | 'ipv6',
): Endpoint | undefined {
  let best: StoredEndpoint | undefined;
  for (const entry of endpoints) {
    if (entry.endpoint[family]?.gateway === undefined) continue;
    if (!best || (entry.spec.gatewayPriority ?? 0) > (best.spec.gatewayPriority ?? 0)) best = entry;
  }
  return best?.endpoint;
}
