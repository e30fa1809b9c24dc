import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerConfig, HostConfig } from '#api/types';
import { invalidArgument, isKind, notFound, prefixErrors, unimplemented } from '#kernel';
import type { Endpoint } from '#networks';
import type { ContainerContext } from './context.ts';
import type { ContainerLink, ContainerRecord } from './container-record.ts';
import type { HostsEntry } from './start/etc-files.ts';
import { sharedContainer } from './start/namespaces.ts';

/** Links of the default bridge (`--link`); on networks of one's own the resolver answers for an alias instead. */
const isLegacy = (mode: string | undefined): boolean => mode === 'bridge' || mode === 'none';

/**
 * The links that a create request asks for on the default bridge, by container id; of two with one alias the first
 * counts. Throws invalidArgument in Docker's words.
 */
export function askedLinks(ctx: ContainerContext, host: HostConfig): readonly ContainerLink[] {
  const texts = host.Links ?? [];
  if (texts.length === 0) return [];
  refuseSharedNetwork(host.NetworkMode);
  if (!isLegacy(host.NetworkMode)) return [];
  const bridge = ctx.options.networks.find('bridge');
  if (bridge?.options['com.docker.network.bridge.enable_icc'] === 'false') {
    throw unimplemented(
      'links cannot open the default bridge of an engine with --icc=false: put both containers on a network of their own',
    );
  }
  const links = new Map<string, ContainerLink>();
  for (const text of texts) {
    const [name = '', given] = text.split(':');
    const { id } = linked(ctx, name);
    const alias = given ?? name.replace(/^\//, '');
    if (alias !== '' && !links.has(alias)) links.set(alias, { id, alias });
  }
  return [...links.values()];
}

function refuseSharedNetwork(mode: string | undefined): void {
  const kind = mode === 'host' ? 'host type networking' : 'container type network';
  if (mode !== 'host' && sharedContainer(mode) === undefined) return;
  throw invalidArgument(
    `conflicting options: ${kind} can't be used with links. This would result in undefined behavior`,
  );
}

function linked(ctx: ContainerContext, name: string): ContainerRecord {
  const prefix = `could not get container for ${name}: `;
  if (name === '') throw invalidArgument(`${prefix}invalid name or ID supplied: ""`);
  // Not 404: clients would take that for the image and pull it.
  return prefixErrors(prefix, () => ctx.store.get(name), 'invalidArgument');
}

/** A record with `hostConfig.Links` as inspect shows it (`/target:/name/alias`). A target that is gone keeps its text. */
function withLinkTexts(ctx: ContainerContext, record: ContainerRecord): ContainerRecord {
  const before = record.hostConfig.Links ?? [];
  const texts = (record.links ?? []).map(({ id, alias }) => {
    const target = ctx.store.find(id);
    const known = before.find((text) => text.endsWith(`/${alias}`))?.split(':')[0];
    return `${target ? `/${target.name}` : (known ?? `/${id}`)}:/${record.name}/${alias}`;
  });
  const links = texts.length > 0 ? texts : null;
  return { ...record, hostConfig: { ...record.hostConfig, Links: links } };
}

const sameTexts = (
  a: readonly string[] | null | undefined,
  b: readonly string[] | null | undefined,
): boolean => (a ?? []).join('\n') === (b ?? []).join('\n');

/** Brings the names that containers have by links up to date, after a create, rename or removal of one with links. */
export function settleLinks(ctx: ContainerContext): void {
  const names = new Map<string, string[]>();
  for (const record of ctx.store.list()) {
    for (const { id, alias } of record.links ?? []) {
      names.set(id, [...(names.get(id) ?? []), `/${record.name}/${alias}`]);
    }
  }
  for (const record of ctx.store.list()) {
    const linkNames = names.get(record.id)?.sort();
    const next = record.links ? withLinkTexts(ctx, record) : record;
    if (sameTexts(linkNames, record.linkNames) && sameTexts(next.hostConfig.Links, record.hostConfig.Links)) {
      continue;
    }
    ctx.update(record, { hostConfig: next.hostConfig, linkNames: linkNames ?? [] });
  }
}

/** Whether other records speak of this one. */
export const hasLinks = (record: ContainerRecord): boolean =>
  record.links !== undefined || (record.linkNames ?? []).length > 0;

/** `rm --link NAME/ALIAS`: the link goes, both containers stay. Answers the one that had it. Throws notFound. */
export function removeLink(ctx: ContainerContext, ref: string): ContainerRecord {
  const [, name = '', alias = ''] = /^\/?([^/]+)\/(.+)$/.exec(ref) ?? [];
  const id = ctx.store.holderOf(name);
  const record = id === undefined ? undefined : ctx.store.find(id);
  if (!record?.links?.some((link) => link.alias === alias)) throw notFound(`No such container: ${ref}`);
  ctx.update(record, { links: record.links.filter((link) => link.alias !== alias) });
  settleLinks(ctx);
  return ctx.store.get(record.id);
}

/** A linked container as it runs. */
interface LiveLink {
  readonly alias: string;
  readonly target: ContainerRecord;
  readonly endpoint: Endpoint;
}

const placeOf = (ctx: ContainerContext, id: string): Endpoint | undefined =>
  ctx.options.networks.findSandbox(id)?.endpoints.find(({ networkName }) => networkName === 'bridge');

/** The linked containers of one that is about to start. Throws when one of them does not run. */
function liveLinks(ctx: ContainerContext, record: ContainerRecord): readonly LiveLink[] {
  if (record.hostConfig.NetworkMode !== 'bridge') return [];
  return (record.links ?? []).map(({ id, alias }) => {
    const target = ctx.store.find(id);
    if (target?.state.status !== 'running') {
      const text = record.hostConfig.Links?.find((one) => one.endsWith(`/${alias}`)) ?? `/${id}`;
      throw invalidArgument(
        `Cannot link to a non running container: ${text.split(':')[0] ?? ''} AS /${record.name}/${alias}`,
      );
    }
    const endpoint = placeOf(ctx, id);
    if (!endpoint) throw invalidArgument(`container ${id} not attached to default bridge network`);
    return { alias, target, endpoint };
  });
}

/** How long a start waits for the linked, which may be on their way up after a restart of the daemon: milliseconds. */
const patience = 5_000;

/** Waits for linked containers that are about to be started again. Not to be called where those would queue behind it. */
export async function awaitLinked(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  const { signal } = ctx.options;
  const rising = (): boolean =>
    (record.links ?? []).some(({ id }) => ctx.store.find(id)?.state.status === 'restarting');
  for (let waited = 0; rising() && waited < patience; waited += 50) await delay(50, undefined, { signal });
}

/** The lines of /etc/hosts for linked containers that are on the bridge: alias, host name and name. */
export function linkHosts(ctx: ContainerContext, record: ContainerRecord): readonly HostsEntry[] {
  if (record.hostConfig.NetworkMode !== 'bridge') return [];
  return (record.links ?? []).flatMap(({ id, alias }) => {
    const target = ctx.store.find(id);
    const endpoint = placeOf(ctx, id);
    const names = [...new Set([alias, target?.config.Hostname ?? '', target?.name ?? ''])].filter(Boolean);
    return [endpoint?.ipv4?.address, endpoint?.ipv6?.address].flatMap((address) =>
      address === undefined ? [] : [{ address, names }],
    );
  });
}

/** Running containers that are linked to this one. */
export const linkingContainers = (
  ctx: ContainerContext,
  { id }: ContainerRecord,
): readonly ContainerRecord[] =>
  ctx.store
    .list()
    .filter(({ links, state }) => state.status === 'running' && links?.some((link) => link.id === id));

/** The variables of linked containers for a process that is executed in it; none of those that have gone. */
export function execVariables(ctx: ContainerContext, record: ContainerRecord): readonly string[] {
  try {
    return liveLinks(ctx, record).flatMap((link) => linkVariables(record.name, link));
  } catch (error) {
    if (isKind(error, 'invalidArgument')) return [];
    throw error;
  }
}

/** The record with the variables of its links before its own: `DB_PORT_80_TCP_ADDR=…`, `DB_NAME=…`, `DB_ENV_FOO=…`. */
export function withLinkVariables(ctx: ContainerContext, record: ContainerRecord): ContainerRecord {
  if (!record.links) return record;
  const variables = liveLinks(ctx, record).flatMap((link) => linkVariables(record.name, link));
  return { ...record, config: { ...record.config, Env: [...variables, ...(record.config.Env ?? [])] } };
}

interface LinkPort {
  readonly number: number;
  readonly protocol: string;
}

function linkVariables(owner: string, { alias, target, endpoint }: LiveLink): readonly string[] {
  const prefix = alias.replaceAll('-', '_').toUpperCase();
  const address = endpoint.ipv4?.address ?? endpoint.ipv6?.address ?? '';
  const url = ({ number, protocol }: LinkPort): string => `${protocol}://${address}:${number}`;
  const key = ({ number, protocol }: LinkPort): string =>
    `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
  const ports = exposedPorts(target.config);
  const [first] = ports;
  return [
    ...(first ? [`${prefix}_PORT=${url(first)}`] : []),
    ...ports.flatMap((port) => [
      `${key(port)}=${url(port)}`,
      `${key(port)}_ADDR=${address}`,
      `${key(port)}_PORT=${port.number}`,
      `${key(port)}_PROTO=${port.protocol}`,
    ]),
    ...portRanges(ports).flatMap(([start, end]) => [
      `${key(start)}_START=${url(start)}`,
      `${key(start)}_PORT_START=${start.number}`,
      `${key(start)}_END=${url(end)}`,
      `${key(start)}_PORT_END=${end.number}`,
    ]),
    `${prefix}_NAME=/${owner}/${alias}`,
    ...(target.config.Env ?? [])
      .filter((entry) => entry.includes('=') && !/^(?:HOME|PATH)=/.test(entry))
      .map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

/** TCP before the others, lowest first. */
function exposedPorts(config: ContainerConfig): readonly LinkPort[] {
  const rank = ({ protocol }: LinkPort): string => (protocol === 'tcp' ? '' : protocol);
  return Object.keys(config.ExposedPorts ?? {})
    .map((text) => {
      const [number, protocol = 'tcp'] = text.split('/');
      return { number: Number(number), protocol };
    })
    .sort((a, b) => rank(a).localeCompare(rank(b)) || a.number - b.number);
}

/** First and last of each run of two and more neighbours. */
function portRanges(ports: readonly LinkPort[]): readonly (readonly [LinkPort, LinkPort])[] {
  const ranges: [LinkPort, LinkPort][] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last?.[1].protocol === port.protocol && last[1].number + 1 === port.number) last[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.filter(([start, end]) => start !== end);
}
