import type { ContainerConfig, HostConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import type { PortRequest } from '#networks';

/** `80`, `80/tcp` → number and protocol. Throws invalidArgument. */
export function parsePort(text: string): {
  readonly port: number;
  readonly protocol: PortRequest['protocol'];
} {
  const [number = '', protocol = 'tcp'] = text.split('/');
  const port = Number(number);
  if (!/^\d+$/.test(number) || port < 1 || port > 65535) throw invalidArgument(`invalid port: ${text}`);
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw invalidArgument(`invalid port: ${text}: unknown protocol ${protocol}`);
  }
  return { port, protocol };
}

/** What `-p` and `-P` ask to publish, in the order of the container's ports. */
export function portRequests(config: ContainerConfig, host: HostConfig): readonly PortRequest[] {
  const requests: PortRequest[] = [];
  const bindings = host.PortBindings ?? {};
  for (const [name, list] of Object.entries(bindings)) {
    const { port: containerPort, protocol } = parsePort(name);
    for (const binding of list ?? []) {
      requests.push({
        protocol,
        containerPort,
        ...(binding.HostIp && { hostIp: binding.HostIp }),
        ...hostPort(binding.HostPort ?? ''),
      });
    }
  }
  if (host.PublishAllPorts) {
    for (const name of Object.keys(config.ExposedPorts ?? {})) {
      if ((bindings[name] ?? []).length > 0) continue;
      const { port: containerPort, protocol } = parsePort(name);
      requests.push({ protocol, containerPort });
    }
  }
  return requests;
}

function hostPort(text: string): { hostPort?: { first: number; last: number } } {
  if (text === '' || text === '0') return {};
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first < 1 || last > 65535 || last < first)
    throw invalidArgument(`invalid port specification: "${text}"`);
  return { hostPort: { first, last } };
}
