import type { EndpointSettings } from '#api/types';
import { conflict, EngineError, invalidArgument, isKind } from '#kernel';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord } from './container-record.ts';
import { sharedContainer } from './start/namespaces.ts';
import { rewriteContainerEtc } from './start/container-etc.ts';
import { endpointSpec, mixtures } from './start/network.ts';

const forbidden = (message: string): Error => new EngineError('permissionDenied', message);

function requireOwnNetwork(record: ContainerRecord): void {
  const mode = record.hostConfig.NetworkMode;
  if (sharedContainer(mode) !== undefined) {
    throw invalidArgument(mixtures.shared);
  }
}

/** `network connect`: for a running container at once, for every one for its next start. */
export async function connectNetwork(
  ctx: ContainerContext,
  ref: string,
  networkRef: string,
  settings: EndpointSettings,
): Promise<void> {
  const { id } = ctx.store.get(ref);
  await using _lock = await ctx.locks.acquire(id);
  const record = ctx.store.get(id);
  const network = ctx.options.networks.get(networkRef);
  requireOwnNetwork(record);
  if (record.hostConfig.NetworkMode === 'host') {
    throw invalidArgument(
      'cannot connect container to host network: container is connected to the host network only',
    );
  }
  if (network.driver === 'host') throw invalidArgument(mixtures.host);
  if (network.driver === 'none' && Object.keys(record.endpoints).length > 0) {
    throw invalidArgument(mixtures.none);
  }
  if (network.name in record.endpoints) {
    throw forbidden(`endpoint with name ${record.name} already exists in network ${network.name}`);
  }
  if (record.state.status === 'running') {
    await ctx.options.networks.connect(id, network.id, endpointSpec(settings));
    rewriteContainerEtc(ctx, record);
  }
  const others = Object.entries(record.endpoints).filter(([name]) => name !== 'none');
  ctx.update(ctx.store.get(id), { endpoints: Object.fromEntries([...others, [network.name, settings]]) });
}

/** `network disconnect`. */
export async function disconnectNetwork(
  ctx: ContainerContext,
  ref: string,
  networkRef: string,
  options: { force: boolean },
): Promise<void> {
  const network = ctx.options.networks.get(networkRef);
  const { id } = ctx.store.get(ref);
  await using _lock = await ctx.locks.acquire(id);
  const record = ctx.store.get(id);
  requireOwnNetwork(record);
  if (network.driver === 'host')
    throw conflict(
      'container cannot be disconnected from host network - container created in host network mode',
    );
  if (!(network.name in record.endpoints)) {
    throw forbidden(`container ${record.id} is not connected to network ${network.name}`);
  }
  if (record.state.status === 'running') {
    try {
      await ctx.options.networks.disconnect(id, network.id);
    } catch (error) {
      if (!(options.force && isKind(error, 'notFound'))) throw error;
    }
    rewriteContainerEtc(ctx, record);
  }
  const rest = Object.entries(record.endpoints).filter(([name]) => name !== network.name);
  ctx.update(ctx.store.get(id), { endpoints: Object.fromEntries(rest) });
}
