import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

const tcpListen = '0A';

/** Inodes of the sockets of the host that are bound to the port (proc(5), /proc/net/tcp). */
function socketInodes(protocol: 'tcp' | 'udp' | 'sctp', port: number): Set<string> {
  const inodes = new Set<string>();
  if (protocol === 'sctp') return inodes;
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of [protocol, `${protocol}6`]) {
    for (const line of read(`/proc/net/${table}`).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local, , state, , , , , , inode] = fields;
      if (!local?.endsWith(suffix) || inode === undefined || inode === '0') continue;
      if (protocol === 'udp' || state === tcpListen) inodes.add(inode);
    }
  }
  return inodes;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Who holds a port of the host, if it can be found; only asked once binding has failed, as it reads all of /proc. */
export function holderOf(protocol: 'tcp' | 'udp' | 'sctp', port: number): PortHolder | undefined {
  const inodes = socketInodes(protocol, port);
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (holdsOne(pid, inodes)) return { pid: Number(pid), name: read(`/proc/${pid}/comm`).trim() };
  }
  return undefined;
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    // The process has gone, or is not ours to look into.
    return false;
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
