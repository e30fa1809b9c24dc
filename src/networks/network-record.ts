import { integer, text, type Database, type Row } from '#metadata';
import type { NetworkRecord } from './networks.ts';

/** `bridge` networks' options, parsed (com.docker.network.*). */
export interface BridgeOptions {
  readonly name: string;
  readonly icc: boolean;
  readonly masquerade: boolean;
  readonly hostBindingIp?: string;
  readonly mtu?: number;
}

const prefix = 'com.docker.network.';

/** The options of a record that parseNetworkSpec() accepted. */
export function bridgeOptions(record: Pick<NetworkRecord, 'id' | 'options'>): BridgeOptions {
  const option = (name: string): string | undefined => record.options[prefix + name];
  const yes = (name: string): boolean => {
    const value = option(name);
    return value === undefined || goBoolean(value) === true;
  };
  const mtu = Number(option('driver.mtu') ?? 0);
  const hostBindingIp = option('bridge.host_binding_ipv4');
  return {
    name: option('bridge.name') ?? `br-${record.id.slice(0, 12)}`,
    icc: yes('bridge.enable_icc'),
    masquerade: yes('bridge.enable_ip_masquerade'),
    ...(hostBindingIp !== undefined && hostBindingIp !== '' && { hostBindingIp }),
    ...(mtu > 0 && { mtu }),
  };
}

/** Go's strconv.ParseBool; undefined for what it refuses. */
export function goBoolean(value: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value) ? false : undefined;
}

export const isDefaultBridge = (record: Pick<NetworkRecord, 'name'>): boolean => record.name === 'bridge';

/** bridge, host and none: there is one of each, it cannot be removed. */
export const isPredefined = (name: string): boolean => ['bridge', 'host', 'none'].includes(name);

export function saveNetwork(db: Database, record: NetworkRecord): void {
  const { createdAt, ...rest } = record;
  db.run(
    'INSERT INTO networks (id, name, driver, created_at, record) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record',
    record.id,
    record.name,
    record.driver,
    createdAt,
    JSON.stringify(rest),
  );
}

function fromRow(row: Row): NetworkRecord {
  // The column is written by saveNetwork only.
  const rest = JSON.parse(text(row, 'record')) as Omit<NetworkRecord, 'createdAt'>;
  return { ...rest, createdAt: integer(row, 'created_at') };
}

export const loadNetworks = (db: Database): NetworkRecord[] =>
  db.all('SELECT created_at, record FROM networks ORDER BY created_at').map(fromRow);
