import ipaddr from 'ipaddr.js';

/** AF_INET, AF_INET6 */
export type AddressFamily = 2 | 10;

/** Text to network bytes. Throws on what is no address. */
export function encodeAddress(address: string): { family: AddressFamily; bytes: Buffer } {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  return { family: bytes.length === 4 ? 2 : 10, bytes };
}

/** Network bytes (4 or 16) to text; IPv6 in its canonical form (RFC 5952). */
export function decodeAddress(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}
