export interface TarEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly folder?: boolean;
  readonly uid?: number;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** The entry that this is another name of. */
  readonly hardLink?: string;
}

/** The letter of ustar for what an entry is. */
function typeOf({ folder = false, link, hardLink }: TarEntry): string {
  if (link !== undefined) return '2';
  if (hardLink !== undefined) return '1';
  return folder ? '5' : '0';
}

/** A small tar of files, folders and links. */
export function makeTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.map((entry) => {
    const { name, content = '', folder = false, uid = 0, link, hardLink } = entry;
    const head = Buffer.alloc(512);
    const bytes = Buffer.from(content);
    const size = bytes.length;
    head.write(name, 0);
    head.write(folder ? '0000755\0' : '0000644\0', 100);
    head.write(`${uid.toString(8).padStart(7, '0')}\0`, 108);
    head.write(`${uid.toString(8).padStart(7, '0')}\0`, 116);
    head.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    head.write('15000000000\0', 136);
    head.write('        ', 148);
    head.write(typeOf(entry), 156);
    head.write(link ?? hardLink ?? '', 157);
    head.write('ustar\x0000', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const data = Buffer.alloc(Math.ceil(size / 512) * 512);
    bytes.copy(data);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
