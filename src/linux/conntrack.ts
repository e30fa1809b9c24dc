import { NetlinkMessage, NLM_F, parseAttributes } from './netlink/message.ts';
import { NetlinkSocket } from './netlink/socket.ts';

const SUBSYSTEM = 1 << 8;
const CT_GET = SUBSYSTEM | 1;
const CT_DELETE = SUBSYSTEM | 2;
const CTA = { tupleOrig: 1, id: 12 } as const;
const TUPLE_PROTO = 2;
const PROTO = { number: 1, destinationPort: 3 } as const;

/** nfgenmsg: family, version 0, resource 0. */
const header = (family: 4 | 6): Uint8Array => Uint8Array.of(family === 4 ? 2 : 10, 0, 0, 0);

/** Flows by what their first packet was sent to. */
export interface ConntrackFilter {
  readonly family: 4 | 6;
  /** 17 for UDP */
  readonly protocol: number;
  readonly destinationPort: number;
}

/** Forgets the flows that match; their next packet is a new flow and meets the rules of then. Returns how many there were. */
export function deleteConntrack(filter: ConntrackFilter): number {
  using socket = new NetlinkSocket('netfilter');
  const dump = new NetlinkMessage(CT_GET, NLM_F.dump, header(filter.family));
  let count = 0;
  for (const payload of socket.request(dump, 'list flows')) {
    const attributes = parseAttributes(payload.subarray(4));
    const tuple = attributes.get(CTA.tupleOrig);
    if (!tuple || !matches(tuple, filter)) continue;
    const message = new NetlinkMessage(CT_DELETE, 0, header(filter.family)).bytes(
      CTA.tupleOrig | 0x8000,
      tuple,
    );
    const id = attributes.get(CTA.id);
    if (id) message.bytes(CTA.id, id);
    try {
      socket.request(message, 'delete flow');
      count += 1;
    } catch (error) {
      // It ended by itself meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return count;
}

function matches(tuple: Buffer, filter: ConntrackFilter): boolean {
  const proto = parseAttributes(tuple).get(TUPLE_PROTO);
  if (!proto) return false;
  const fields = parseAttributes(proto);
  return (
    fields.get(PROTO.number)?.readUInt8() === filter.protocol &&
    fields.get(PROTO.destinationPort)?.readUInt16BE() === filter.destinationPort
  );
}
