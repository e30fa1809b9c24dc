/** Whether the text is an IPv4 or IPv6 address. (node:net would tell too, but costs 7 ms to load under Bun.) */
export function isAddress(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const dotted = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

export const isIPv4 = (text: string): boolean => dotted.test(text);

export function isIPv6(text: string): boolean {
  const [address = '', zone] = text.split('%');
  if (zone === '') return false;
  const halves = address.split('::');
  if (halves.length > 2 || !address.includes(':')) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const embedded = last.includes('.') ? 1 : 0;
  if (embedded && !isIPv4(last)) return false;
  const plain = embedded ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  const width = groups.length + embedded;
  return halves.length === 2 ? width < 8 : width === 8;
}
