import { NetlinkMessage, NLM_F, parseAttributes } from './message.ts';
import { decodeAddress, encodeAddress } from './ip.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA = { destination: 1, oif: 4, gateway: 5, priority: 6, metrics: 8, table: 15 } as const;
const RTAX_MTU = 2;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;

/** A unicast route of the main table. */
export interface Route {
  readonly family: 4 | 6;
  /** CIDR; undefined for the default route. */
  readonly destination?: string;
  readonly gateway?: string;
  /** Index of the link it leaves by. */
  readonly link?: number;
  readonly metric?: number;
  /** Where the route itself narrows the link's MTU. */
  readonly mtu?: number;
}

function header(family: number, destinationLength: number, scope: number): Buffer {
  return Buffer.from([
    family,
    destinationLength,
    0,
    0,
    RT_TABLE_MAIN,
    RTPROT_BOOT,
    scope,
    RTN_UNICAST,
    0,
    0,
    0,
    0,
  ]);
}

function parseRoute(payload: Buffer): Route[] {
  const family = payload.readUInt8(0) === 2 ? 4 : 6;
  const attributes = parseAttributes(payload.subarray(12));
  const table = attributes.get(RTA.table)?.readUInt32LE() ?? payload.readUInt8(4);
  if (table !== RT_TABLE_MAIN || payload.readUInt8(7) !== RTN_UNICAST) return [];
  const destination = attributes.get(RTA.destination);
  const gateway = attributes.get(RTA.gateway);
  const link = attributes.get(RTA.oif)?.readUInt32LE();
  const metric = attributes.get(RTA.priority)?.readUInt32LE();
  const metrics = attributes.get(RTA.metrics);
  const mtu = metrics && parseAttributes(metrics).get(RTAX_MTU)?.readUInt32LE();
  return [
    {
      family,
      ...(destination && { destination: `${decodeAddress(destination)}/${payload.readUInt8(1)}` }),
      ...(gateway && { gateway: decodeAddress(gateway) }),
      ...(link !== undefined && { link }),
      ...(metric !== undefined && { metric }),
      ...(mtu !== undefined && { mtu }),
    },
  ];
}

/** The unicast routes of the main table, IPv4 and IPv6. */
export function listRoutes(socket: NetlinkSocket): Route[] {
  const message = new NetlinkMessage(RTM_GETROUTE, NLM_F.dump, header(0, 0, 0));
  return socket.request(message, 'list routes').flatMap(parseRoute);
}

function defaultRoute(type: number, flags: number, gateway: string, link: number): NetlinkMessage {
  const { family, bytes } = encodeAddress(gateway);
  return new NetlinkMessage(type, flags, header(family, 0, 0)).bytes(RTA.gateway, bytes).u32(RTA.oif, link);
}

/** Adds or replaces the default route of the gateway's family. */
export function replaceDefaultRoute(socket: NetlinkSocket, gateway: string, link: number): void {
  const message = defaultRoute(RTM_NEWROUTE, NLM_F.create | NLM_F.replace, gateway, link);
  socket.request(message, `default route via ${gateway}`);
}

export function removeDefaultRoute(socket: NetlinkSocket, gateway: string, link: number): void {
  socket.request(defaultRoute(RTM_DELROUTE, 0, gateway, link), `remove the default route via ${gateway}`);
}
