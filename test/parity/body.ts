import type { Received } from './wire.ts';

/** The frames of a multiplexed stream, each stream's in one piece; how they are cut is nobody's promise. */
export function joinFrames(bytes: Buffer): Readonly<Record<string, string>> {
  const names = ['stdin', 'stdout', 'stderr', 'systemerr'];
  const streams: Record<string, string> = {};
  let at = 0;
  while (at + 8 <= bytes.length) {
    const name = names[bytes.readUInt8(at)] ?? `stream ${bytes.readUInt8(at)}`;
    const length = bytes.readUInt32BE(at + 4);
    streams[name] = (streams[name] ?? '') + bytes.toString('utf8', at + 8, at + 8 + length);
    at += 8 + length;
  }
  return at === bytes.length ? streams : { ...streams, rest: bytes.subarray(at).toString('latin1') };
}

/** A body in chunks as one. */
export function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf('\r\n', at);
    const length = parseInt(bytes.toString('latin1', at, line), 16);
    if (line < 0 || !(length > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
  return Buffer.concat(parts);
}

/** The frames of a websocket: the data in one piece, and how it was closed. */
export function joinWebSocketFrames(bytes: Buffer): Readonly<Record<string, unknown>> {
  const opcodes = new Set<number>();
  const data: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const opcode = bytes.readUInt8(at) & 15;
    const short = bytes.readUInt8(at + 1) & 127;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    at += short === 126 ? 4 : 2;
    opcodes.add(opcode);
    if (opcode < 8) data.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { opcodes: [...opcodes].filter((code) => code !== 0).sort(), data: Buffer.concat(data).toString() };
}

/** A frame of a client: its bytes are masked. */
export function webSocketFrame(opcode: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}

const tarTypes: Readonly<Record<string, string>> = {
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'folder',
};

const text = (bytes: Buffer, from: number, length: number): string =>
  bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');

function extended(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const length = parseInt(bytes.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const [, key = '', value = ''] =
      /^\d+ ([^=]+)=(.*)\n$/s.exec(bytes.toString('utf8', at, at + length)) ?? [];
    records[key] = value;
    at += length;
  }
  return records;
}

/** A tar as the list of what is in it, by name: what a client sees of it, not how it is written. */
export function listTar(bytes: Buffer, content: boolean): readonly string[] {
  const entries: string[] = [];
  let pax: Record<string, string> = {};
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const size = parseInt(text(bytes, at + 124, 12), 8) || 0;
    const data = bytes.subarray(at + 512, at + 512 + size);
    const type = String.fromCharCode(bytes[at + 156] ?? 0);
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === 'x') {
      pax = extended(data);
      continue;
    }
    const head = at - 512 - Math.ceil(size / 512) * 512;
    const prefix = text(bytes, head + 345, 155);
    const name = pax['path'] ?? (prefix ? `${prefix}/` : '') + text(bytes, head, 100);
    const mode = text(bytes, head + 100, 8)
      .trim()
      .replace(/^0+/, '');
    const owner = `${parseInt(text(bytes, head + 108, 8), 8)}:${parseInt(text(bytes, head + 116, 8), 8)}`;
    const link = pax['linkpath'] ?? text(bytes, head + 157, 100);
    const shown = [tarTypes[type] ?? `type ${type}`, name, mode, owner, String(size)];
    if (link) shown.push(`-> ${link}`);
    if (content && size > 0 && size < 200) shown.push(JSON.stringify(data.toString()));
    entries.push(shown.join(' '));
    pax = {};
  }
  return entries.sort();
}

/** What a body says, as a value: JSON, text, streams or a list of files; undefined when it is empty. */
export function readBody({ headers, body }: Received): unknown {
  if (body.length === 0) return undefined;
  const type = headers['content-type'] ?? '';
  const content = body.toString();
  if (type === 'application/x-tar' || body.toString('latin1', 257, 262) === 'ustar')
    return { tar: listTar(body, true) };
  if (type.includes('multiplexed-stream')) return joinFrames(body);
  if (type.includes('raw-stream') && body.length >= 8 && (body[0] ?? 9) < 4 && body[1] === 0)
    return joinFrames(body);
  if (type !== 'application/json') return { text: content };
  try {
    return JSON.parse(content) as unknown;
  } catch {
    const lines = content.split('\n').filter((line) => line.trim() !== '');
    return { lines: lines.map((line) => JSON.parse(line) as unknown) };
  }
}
