import type { PortSummary } from '#api/types';

/** The PORTS column of `ps`: runs of equal ports joined, `0.0.0.0:8080->80/tcp` for the rest. */
export function formatPorts(ports: readonly PortSummary[] | null): string {
  const groups = new Map<string, { first: number; last: number }>();
  const joined: string[] = [];
  const mapped: string[] = [];
  for (const port of [...(ports ?? [])].sort(comparePorts)) {
    const { IP = '', PrivatePort, PublicPort, Type } = port;
    if (IP !== '' && PublicPort !== PrivatePort) {
      mapped.push(`${joinHostPort(IP, String(PublicPort ?? 0))}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = IP === '' ? Type : `${IP}/${Type}`;
    const group = groups.get(key);
    if (group && PrivatePort === group.last + 1) {
      group.last = PrivatePort;
      continue;
    }
    if (group) joined.push(formatGroup(key, group));
    groups.set(key, { first: PrivatePort, last: PrivatePort });
  }
  for (const [key, group] of groups) joined.push(formatGroup(key, group));
  return [...joined, ...mapped].join(', ');
}

function formatGroup(key: string, { first, last }: { first: number; last: number }): string {
  const slash = key.lastIndexOf('/');
  const range = first === last ? String(first) : `${first}-${last}`;
  if (slash < 0) return `${range}/${key}`;
  return `${joinHostPort(key.slice(0, slash), range)}->${range}/${key.slice(slash + 1)}`;
}

export const joinHostPort = (host: string, port: string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

function comparePorts(a: PortSummary, b: PortSummary): number {
  const order = (left: string | number, right: string | number): number =>
    left < right ? -1 : left > right ? 1 : 0;
  return (
    order(a.PrivatePort, b.PrivatePort) ||
    order(a.IP ?? '', b.IP ?? '') ||
    order(a.PublicPort ?? 0, b.PublicPort ?? 0) ||
    order(a.Type, b.Type)
  );
}
