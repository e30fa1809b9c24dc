import type { ContainerSummary, EndpointSettings } from '#api/types';
import type { ContainerRecord, LiveNetwork } from '#containers';
import type { OlderForm } from '../answer.ts';
import { commandOf, viewMounts } from './container-inspect.ts';
import { viewEndpoints, viewPortSummaries, type NetworkIds } from './container-network.ts';
import { statusText, wireStatus } from './container-state.ts';

/** What a list's entry tells beyond the record. */
export interface SummaryFacts {
  readonly live: LiveNetwork | undefined;
  readonly networkIds: NetworkIds;
  /** Whether the name it was made from still names its image. */
  readonly imageNameHolds: boolean;
  /** Nanoseconds since the epoch. */
  readonly now: bigint;
}

/** One entry of GET /containers/json, without sizes. */
export function viewSummary(record: ContainerRecord, facts: SummaryFacts): ContainerSummary {
  return {
    Id: record.id,
    Names: [...(record.linkNames ?? []), `/${record.name}`].sort(),
    Image: facts.imageNameHolds ? record.imageName : record.imageId,
    ImageID: record.imageId,
    Command: commandText(record),
    Created: Number(record.createdAt / 1_000_000_000n),
    Ports: viewPortSummaries(record, facts.live),
    Labels: record.config.Labels ?? {},
    State: wireStatus(record),
    Status: statusText(record, facts.now),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? 'bridge',
      ...(record.hostConfig.Annotations && { Annotations: record.hostConfig.Annotations }),
    },
    NetworkSettings: { Networks: listedEndpoints(record, facts) },
    Mounts: viewMounts(record),
    Health: {
      Status: record.health?.status ?? 'none',
      FailingStreak: record.health?.failingStreak ?? 0,
    },
  };
}

/** Lists do not tell the names an endpoint is found by. */
function listedEndpoints(
  record: ContainerRecord,
  facts: SummaryFacts,
): Readonly<Record<string, EndpointSettings>> {
  const endpoints = Object.entries(viewEndpoints(record, facts.live, facts.networkIds));
  return Object.fromEntries(endpoints.map(([name, endpoint]) => [name, { ...endpoint, DNSNames: null }]));
}

/** Arguments with spaces in single quotes. */
function commandText(record: ContainerRecord): string {
  const [path = '', ...args] = commandOf(record);
  return [path, ...args.map((arg) => (/\s/.test(arg) ? `'${arg}'` : arg))].join(' ');
}

interface Ready {
  readonly endpoints: readonly object[];
  readonly ports: readonly object[];
  readonly imageNameHolds: boolean;
  readonly status: string;
  /** JSON by the key of its form; '' is the newest. */
  readonly texts: Map<string, string>;
}

/**
 * Keeps the JSON of list entries. Records, endpoints and ports are replaced, never changed, so an entry stays right
 * while they and the status text (which ages) are the same.
 */
export class SummaryTexts {
  readonly #ready = new WeakMap<ContainerRecord, Ready>();

  get(record: ContainerRecord, facts: SummaryFacts, older: OlderForm | undefined): string {
    const { texts } = this.#entry(record, facts);
    const key = older?.key ?? '';
    let text = texts.get(key);
    if (text === undefined) {
      const summary = viewSummary(record, facts);
      text = JSON.stringify(older ? older.lower({ ...summary }) : summary);
      texts.set(key, text);
    }
    return text;
  }

  #entry(record: ContainerRecord, { live, imageNameHolds, now }: SummaryFacts): Ready {
    const status = statusText(record, now);
    const endpoints = live?.endpoints ?? [];
    const ports = live?.ports ?? [];
    const kept = this.#ready.get(record);
    if (
      kept?.status === status &&
      kept.imageNameHolds === imageNameHolds &&
      areSame(kept.endpoints, endpoints) &&
      areSame(kept.ports, ports)
    ) {
      return kept;
    }
    const texts = new Map<string, string>();
    const entry = { endpoints: [...endpoints], ports: [...ports], imageNameHolds, status, texts };
    this.#ready.set(record, entry);
    return entry;
  }
}

/** Whether the lists hold the same objects: those are never changed, the lists may be made anew each time. */
const areSame = (a: readonly object[], b: readonly object[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);
