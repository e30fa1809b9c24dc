import type { Announced } from '../announced.ts';
import type { ContainerContext } from '../context.ts';
import type { ContainerMount, ContainerRecord } from '../container-record.ts';

const announcedOf = (ctx: ContainerContext, id: string): Announced => {
  const announced = ctx.announced.get(id) ?? { mounts: [], network: undefined };
  ctx.announced.set(id, announced);
  return announced;
};

const volumesOf = (record: ContainerRecord): readonly ContainerMount[] =>
  record.mounts.filter(({ type, name }) => type === 'volume' && name !== undefined);

/** Tells of the volumes that a run has mounted, in Docker's order: by where they are. */
export function announceMounts(ctx: ContainerContext, record: ContainerRecord): void {
  const announced = announcedOf(ctx, record.id);
  announced.mounts = volumesOf(record).toSorted((a, b) => (a.destination < b.destination ? -1 : 1));
  for (const { name = '', destination, rw, propagation } of announced.mounts) {
    ctx.options.events.publish('volume', 'mount', name, {
      container: record.id,
      destination,
      driver: 'local',
      propagation,
      'read/write': String(rw),
    });
  }
}

/** The network of a run, if it is one that the networks' side tells nothing of: the host's, or none at all. */
function silentNetwork(ctx: ContainerContext, { hostConfig }: ContainerRecord): Announced['network'] {
  const name = hostConfig.NetworkMode ?? '';
  if (name !== 'host' && name !== 'none') return undefined;
  return { id: ctx.options.networks.get(name).id, name, type: name === 'none' ? 'null' : name };
}

/** Tells of a network that the networks' side tells nothing of. */
export function announceNetwork(ctx: ContainerContext, record: ContainerRecord): void {
  const network = silentNetwork(ctx, record);
  if (!network || ctx.untold.has(record.id)) return;
  announcedOf(ctx, record.id).network = network;
  const { id, name, type } = network;
  ctx.options.events.publish('network', 'connect', id, { container: record.id, name, type });
}

/** A run that an earlier daemon has begun: its end is told all the same. */
export function adoptAnnouncements(ctx: ContainerContext, record: ContainerRecord): void {
  ctx.announced.set(record.id, { mounts: volumesOf(record), network: silentNetwork(ctx, record) });
}

/** Tells of the end of all that was announced. Once. */
export function announceRelease(ctx: ContainerContext, record: ContainerRecord): void {
  const announced = ctx.announced.get(record.id);
  if (!announced) return;
  ctx.announced.delete(record.id);
  const { events } = ctx.options;
  const { network, mounts } = announced;
  if (network) {
    const { name, type } = network;
    events.publish('network', 'disconnect', network.id, { container: record.id, name, type });
  }
  for (const { name = '' } of mounts) {
    events.publish('volume', 'unmount', name, { container: record.id, driver: 'local' });
  }
}
