/** A member of an archive, for archives that no program would write. */
export interface TarMember {
  readonly name: string;
  /** Of a link. */
  readonly target?: string;
  /** `pax`: its content are extended attributes of the next member. */
  readonly kind?: 'file' | 'symlink' | 'hardlink' | 'pax';
  readonly content?: string | Uint8Array;
}

const kinds = { file: '0', hardlink: '1', symlink: '2', pax: 'x' } as const;

/** An uncompressed POSIX (ustar) archive with exactly these members; names up to 100 bytes. */
export function tarFile(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap(({ name, target = '', kind = 'file', content = '' }) => {
    const data = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write(' '.repeat(8), 148);
    header.write(kinds[kind], 156);
    header.write(target, 157, 100);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
