import type { ContainerRecord } from '#containers';
import { invalidArgument } from '#kernel';
import type { Backends } from '../backends.ts';
import type { Filters } from '../filters.ts';
import type { Query } from '../query.ts';
import { liveNetwork, viewPortSummaries } from '../views/container-network.ts';
import { exitCodeOf, lastExit, wireStatus } from '../views/container-state.ts';

type FilterBackends = Pick<Backends, 'containers' | 'images' | 'networks'>;

const known = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];

type Test = (record: ContainerRecord) => boolean;

/** The containers that GET /containers/json asks for, newest first. Throws invalidArgument and notFound. */
export function selectContainers(backends: FilterBackends, query: Query): readonly ContainerRecord[] {
  const filters = query.filters(known);
  const limit = query.integer('limit') ?? -1;
  const tests = containerTests(backends, filters);
  // Asking for a state or a number of containers is asking for stopped ones too.
  const all = query.boolean('all') || limit > 0 || filters.has('status');
  const selected = backends.containers
    .list()
    .filter((record) => (all || isUp(record)) && tests.every((test) => test(record)));
  return limit > 0 ? selected.slice(0, limit) : selected;
}

const isUp = (record: ContainerRecord): boolean =>
  record.state.status === 'running' || record.state.status === 'restarting';

function containerTests(backends: FilterBackends, filters: Filters): readonly Test[] {
  const tests: Test[] = [
    (record) => filters.prefix('id', record.id),
    (record) => filters.pattern('name', record.name, `/${record.name}`),
    (record) => filters.labels(record.config.Labels),
    oneOf(filters, 'status', 'state', statuses, wireStatus),
    oneOf(filters, 'health', 'health', healths, (record) => record.health?.status ?? 'none'),
  ];
  if (filters.boolean('is-task') === true) tests.push(() => false);
  if (filters.has('exited')) tests.push(exitedWith(filters));
  if (filters.has('ancestor')) tests.push(madeFrom(backends, filters));
  if (filters.has('before') || filters.has('since')) tests.push(createdBetween(backends, filters));
  if (filters.has('volume')) tests.push(mounts(filters));
  if (filters.has('network')) tests.push(inNetwork(backends, filters));
  if (filters.has('publish')) tests.push(hasPort(filters, 'publish', published(backends)));
  if (filters.has('expose')) tests.push(hasPort(filters, 'expose', exposed(backends)));
  return tests;
}

function oneOf(
  filters: Filters,
  name: string,
  noun: string,
  values: readonly string[],
  valueOf: (record: ContainerRecord) => string,
): Test {
  for (const value of filters.all(name)) {
    if (values.includes(value)) continue;
    throw invalidArgument(
      `invalid filter '${name}=${value}': invalid value for ${noun} (${value}): must be one of ${values.join(', ')}`,
    );
  }
  return (record) => filters.exact(name, valueOf(record));
}

function exitedWith(filters: Filters): Test {
  const codes = filters.all('exited').map((text) => {
    if (!/^[+-]?\d+$/.test(text)) {
      throw invalidArgument(
        `invalid filter 'exited=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    }
    return Number(text);
  });
  return (record) => {
    const last = record.state.status === 'exited' ? lastExit(record) : undefined;
    return last !== undefined && codes.includes(exitCodeOf(last));
  };
}

/** Made from one of the images or from one built on top of it. */
function madeFrom({ images }: FilterBackends, filters: Filters): Test {
  const ancestors = filters.all('ancestor').map((name) => images.find(name));
  const layersOf = new Map(images.list().map((image) => [image.id as string, image.config.rootfs.diff_ids]));
  return (record) =>
    ancestors.some((ancestor) => {
      if (!ancestor) return false;
      if (ancestor.id === record.imageId) return true;
      const layers = layersOf.get(record.imageId);
      const base = ancestor.config.rootfs.diff_ids;
      return layers !== undefined && base.length > 0 && base.every((id, index) => layers[index] === id);
    });
}

function createdBetween({ containers }: FilterBackends, filters: Filters): Test {
  const before = filters.all('before').map((ref) => containers.get(ref).createdAt);
  const since = filters.all('since').map((ref) => containers.get(ref).createdAt);
  return (record) =>
    before.every((time) => record.createdAt < time) && since.every((time) => record.createdAt > time);
}

const mounts =
  (filters: Filters): Test =>
  (record) =>
    record.mounts.some((mount) =>
      filters.all('volume').some((value) => [mount.name, mount.source, mount.destination].includes(value)),
    );

function inNetwork({ networks }: FilterBackends, filters: Filters): Test {
  const wanted = filters.all('network');
  const ids = new Set(wanted.map((value) => networks.find(value)?.id ?? value));
  return (record) =>
    Object.keys(record.endpoints).some((name) => {
      const id = networks.find(name)?.id;
      return wanted.includes(name) || (id !== undefined && ids.has(id));
    });
}

/** Ports as `80/tcp`. */
type Ports = (record: ContainerRecord) => readonly string[];

/** The container's side of the ports that its entry shows. */
const exposed =
  ({ containers }: FilterBackends): Ports =>
  (record) =>
    viewPortSummaries(record, liveNetwork(containers, record)).map(
      (port) => `${port.PrivatePort}/${port.Type}`,
    );

/** The host's side. */
const published =
  ({ containers }: FilterBackends): Ports =>
  (record) =>
    (liveNetwork(containers, record)?.ports ?? []).map((port) => `${port.hostPort}/${port.protocol}`);

/** Values are `80`, `80/udp` or `8000-8010/tcp`. */
function hasPort(filters: Filters, name: string, portsOf: Ports): Test {
  const wanted = new Set(filters.all(name).flatMap((value) => portRange(name, value)));
  return (record) => portsOf(record).some((port) => wanted.has(port));
}

function portRange(name: string, value: string): readonly string[] {
  const [range = '', protocol = 'tcp'] = value.split('/');
  const [first = '', last = first] = range.split('-');
  for (const text of [first, last]) {
    const isNumber = /^\d+$/.test(text);
    if (isNumber && Number(text) <= 65_535) continue;
    const why = isNumber ? 'value out of range' : 'invalid syntax';
    throw invalidArgument(
      `error while looking up for ${name} ${value}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`,
    );
  }
  const count = Math.max(Number(last) - Number(first) + 1, 0);
  return Array.from({ length: count }, (_, index) => `${Number(first) + index}/${protocol}`);
}
