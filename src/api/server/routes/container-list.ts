import type { ContainerInspectResponse, ContainerSummary } from '#api/types';
import type { ContainerRecord } from '#containers';
import { ok, type Answer } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { named, type Route } from '../route.ts';
import { unlessGone } from '../unless-gone.ts';
import { viewContainer } from '../views/container-inspect.ts';
import { liveNetwork } from '../views/container-network.ts';
import { SummaryTexts, viewSummary, type SummaryFacts } from '../views/container-summary.ts';
import { selectContainers } from './container-filters.ts';

type ListBackends = Pick<Backends, 'containers' | 'images' | 'networks' | 'clock' | 'storageDriver'>;

/** GET /containers/json and GET /containers/{id}/json. */
export function containerListRoutes(backends: ListBackends): readonly Route[] {
  const texts = new SummaryTexts();
  return [
    {
      method: 'GET',
      path: '/containers/json',
      operation: 'ContainerList',
      handle: async (exchange) => list(backends, texts, exchange),
    },
    {
      method: 'GET',
      path: named('containers', '/json'),
      operation: 'ContainerInspect',
      handle: async (exchange) => ok(await inspect(backends, exchange)),
    },
  ];
}

async function list(backends: ListBackends, texts: SummaryTexts, exchange: Exchange): Promise<Answer> {
  const records = selectContainers(backends, exchange.query);
  if (exchange.query.boolean('size')) return ok(await withSizes(backends, records));
  const facts = summaryFacts(backends);
  return {
    status: 200,
    ready: (older) => `[${records.map((record) => texts.get(record, facts(record), older)).join(',')}]`,
  };
}

/** What the entries of one answer have in common is asked for once. */
export function summaryFacts(backends: ListBackends): (record: ContainerRecord) => SummaryFacts {
  const { containers, images, networks } = backends;
  const now = backends.clock.now();
  const networkIds = (name: string): string | undefined => networks.find(name)?.id;
  const imageIds = new Map<string, string | undefined>();
  const imageId = (name: string): string | undefined => {
    if (!imageIds.has(name)) imageIds.set(name, images.find(name)?.id);
    return imageIds.get(name);
  };
  return (record) => ({
    now,
    networkIds,
    live: liveNetwork(containers, record),
    imageNameHolds: imageId(record.imageName) === record.imageId,
  });
}

async function withSizes(
  backends: ListBackends,
  records: readonly ContainerRecord[],
): Promise<readonly ContainerSummary[]> {
  const facts = summaryFacts(backends);
  const summaries: ContainerSummary[] = [];
  for (const record of records) {
    const size = await unlessGone(backends.containers.size(record.id));
    if (!size) continue;
    const { sizeRw, sizeRootFs } = size;
    // Zero is left out, as in Go.
    const sizes = {
      ...(sizeRw > 0 && { SizeRw: sizeRw }),
      ...(sizeRootFs > 0 && { SizeRootFs: sizeRootFs }),
    };
    summaries.push({ ...viewSummary(record, facts(record)), ...sizes });
  }
  return summaries;
}

async function inspect(backends: ListBackends, exchange: Exchange): Promise<ContainerInspectResponse> {
  const { containers, networks, storageDriver } = backends;
  const record = containers.get(exchange.name);
  return viewContainer(record, {
    storageDriver,
    live: liveNetwork(containers, record),
    networkIds: (name) => networks.find(name)?.id,
    logPath: containers.logPath(record.id),
    apparmorProfile: containers.apparmorProfile(record.id),
    execIds: containers.execIds(record.id),
    files: containers.files?.(record.id),
    folders: containers.rootFolders?.(record.id),
    size: exchange.query.boolean('size') ? await containers.size(record.id) : undefined,
  });
}
