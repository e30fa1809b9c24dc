import { isIP } from 'node:net';
import type { Checks } from '../checks/checks.ts';
import { quoted } from '../dockerfile/go-text.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import type { Location } from '../dockerfile/location.ts';

const highest = 65_535;

function parseRange(text: string): [number, number] | undefined {
  const [start = '', end = start, ...rest] = text.split('-');
  const tail = rest.length > 0 ? [end, ...rest].join('-') : end;
  if (!/^[+]?\d+$/.test(start) || !/^[+]?\d+$/.test(tail)) return undefined;
  const range: [number, number] = [Number(start), Number(tail)];
  return range[0] <= range[1] && range[1] <= highest ? range : undefined;
}

function checkHost(address: string, hostPort: string, [start, end]: [number, number], port: string): void {
  const bare = /^\[(.*)\]$/.exec(address)?.[1] ?? address;
  if (bare !== '' && isIP(bare) === 0) throw new DockerfileError(`invalid IP address: ${bare}`);
  if (hostPort === '') return;
  const host = parseRange(hostPort);
  if (!host) throw new DockerfileError(`invalid hostPort: ${hostPort}`);
  if (end - start !== host[1] - host[0] && end !== start) {
    throw new DockerfileError(
      `invalid ranges specified for container and host Ports: ${port} and ${hostPort}`,
    );
  }
}

/** `[address:][host:]port[-port][/protocol]` as the ports of the image: `80/tcp`. */
export function parseExposedPort(text: string, location: Location, checks: Checks): string[] {
  const parts = text.split(':');
  const target = parts.pop() ?? '';
  const hostPort = parts.pop() ?? '';
  const address = parts.join(':');
  const slash = target.indexOf('/');
  const port = slash === -1 ? target : target.slice(0, slash);
  const written = slash === -1 ? '' : target.slice(slash + 1);
  if (port === '') throw new DockerfileError(`invalid port: ${quoted(text)}: no port specified`);
  const protocol = written.toLowerCase() || 'tcp';
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw new DockerfileError(`invalid port: ${quoted(text)}: invalid proto: ${written}`);
  }
  if (written !== written.toLowerCase()) {
    const message = `Defined protocol '${text}' in EXPOSE instruction should be lowercase`;
    checks.report('ExposeProtoCasing', location, message);
  }
  if (address !== '' || hostPort !== '') {
    const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`;
    checks.report('ExposeInvalidFormat', location, message);
  }
  const range = parseRange(port);
  if (!range) throw new DockerfileError(`invalid containerPort: ${port}`);
  checkHost(address, hostPort, range, port);
  const [start, end] = range;
  return Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${protocol}`);
}
