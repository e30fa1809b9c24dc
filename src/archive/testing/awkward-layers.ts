import { Random } from './random.ts';
import {
  endBlocks,
  globalHeader,
  rawEntry,
  type Dialect,
  type RawEntry,
  type SparseVersion,
} from './raw-tar.ts';

type Kind = 'file' | 'folder' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block';

/** What stands at a path once the layers so far are unpacked. Paths are bytes as latin1. */
interface Node {
  readonly kind: Kind;
  /** The layer that brought it last. */
  readonly layer: number;
  /** The folder that a symbolic link leads to, for entries that go through it. */
  readonly leadsTo?: string;
}

export interface AwkwardOptions {
  readonly layers: number;
  /** Who else unpacks them: its own peculiarities and mistakes are spared, each where it matters. */
  readonly reader: 'tar' | 'umoci';
}

const longName = (length: number): string => `n${'x'.repeat(length - 2)}y`;
const names = ['a', 'b', 'c', 'd', 'a b', '.h', 'ünï', 'new\nline', 'b\xff\xfec', '\u00e9', longName(100)];
const rareNames = [longName(101), longName(155), longName(255), '*', '\\', '-x', 'PaxHeaders.0'];
const second = 1_000_000_000n;
const times = [0n, 1n, 1_000_000_000n, 2n ** 31n, 8_589_934_591n, 9_000_000_000n, -1n, -86_400n * 3650n];
const ids = [0, 0, 0, 1, 1000, 65534, 2097151, 2097152, 2097153, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2];
const modes = [0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o7777, 0, 0o200];
const flags: Record<Kind, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  folder: '5',
  fifo: '6',
};

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** Layers that are valid, and as hard to unpack as layers can be. The same seed gives the same bytes. */
export class AwkwardLayers {
  readonly #random: Random;
  readonly #options: AwkwardOptions;
  readonly #tree = new Map<string, Node>();
  #layer = 0;

  get #reader(): AwkwardOptions['reader'] {
    return this.#options.reader;
  }

  constructor(seed: number, options: AwkwardOptions) {
    this.#random = new Random(seed);
    this.#options = options;
  }

  make(): Buffer[] {
    const layers: Buffer[] = [];
    for (this.#layer = 0; this.#layer < this.#options.layers; this.#layer += 1)
      layers.push(this.#makeLayer());
    return layers;
  }

  #makeLayer(): Buffer {
    const random = this.#random;
    const parts: Buffer[] = [];
    const count = random.chance(0.05) ? 0 : 1 + random.below(24);
    // umoci refuses them, as well as the type of contiguous files.
    if (this.#reader === 'tar' && random.chance(0.2))
      parts.push(globalHeader([['comment', Buffer.from('of no matter')]]));
    const entries: Buffer[] = [];
    for (let n = 0; n < count; n += 1) {
      const entry = this.#step();
      if (entry) entries.push(entry);
    }
    parts.push(...entries);
    // The end may be missing, short, or followed by anything.
    const end = random.below(6);
    if (end > 1) parts.push(endBlocks());
    if (end === 1 && parts.length > 0) parts.push(Buffer.alloc(512));
    if (end === 5 && entries.length > 0) parts.push(random.bytes(1 + random.below(3000)));
    return Buffer.concat(parts);
  }

  #step(): Buffer | undefined {
    const random = this.#random;
    if (this.#reader === 'umoci' && random.chance(0.2)) return this.#whiteout();
    const [stored, real] = this.#place();
    if (stored === undefined || real === undefined) return undefined;
    const kinds: Kind[] = [
      'file',
      'file',
      'file',
      'folder',
      'folder',
      'symlink',
      'hardlink',
      'fifo',
      'character',
      'block',
    ];
    const kind = random.pick(kinds);
    const isFolder = this.#tree.get(real)?.kind === 'folder';
    if (this.#reader === 'tar') {
      // GNU tar removes no folder that is not empty, and mistakes the times of folders that have two names.
      if (isFolder && kind !== 'folder') return undefined;
      if (kind === 'folder' && stored !== real) return undefined;
    }
    if (kind === 'hardlink') return this.#hardLink(stored, real);
    if (kind === 'symlink') return this.#symlink(stored, real);
    this.#put(real, { kind, layer: this.#layer });
    const device = kind === 'character' || kind === 'block';
    return this.#encode(kind, stored, {
      ...(device && { major: 1 + random.below(200), minor: random.pick([0, 7, 255, 256, 65535]) }),
    });
  }

  /** Folders, and links that lead to one: [name, where it leads]. */
  #parents(): { folders: string[]; doors: [string, string][] } {
    const folders = [''];
    const doors: [string, string][] = [];
    for (const [path, { kind, layer, leadsTo }] of this.#tree) {
      if (kind === 'folder') folders.push(path);
      if (leadsTo === undefined || layer !== this.#layer) continue;
      if (this.#tree.get(leadsTo)?.kind === 'folder') doors.push([path, leadsTo]);
    }
    return { folders, doors };
  }

  /** A name for an entry, and where that leads to; with folders on the way that no entry told of. */
  #place(): [stored?: string, real?: string] {
    const random = this.#random;
    const { folders, doors } = this.#parents();
    let [stored, real] = ['', ''];
    if (doors.length > 0 && random.chance(0.3)) [stored, real] = random.pick(doors);
    else stored = real = random.pick(folders);
    const join = (one: string, two: string): string => (one === '' ? two : `${one}/${two}`);
    for (let more = random.chance(0.15) ? 2 : 1; more > 0; more -= 1) {
      const name = random.pick(random.chance(0.9) ? names : rareNames);
      [stored, real] = [join(stored, name), join(real, name)];
      const there = this.#tree.get(real);
      if (more > 1 && there && there.kind !== 'folder') return [];
    }
    return real.length > 1500 ? [] : [stored, real];
  }

  #put(path: string, node: Node): void {
    if (node.kind !== 'folder') {
      for (const below of this.#tree.keys()) if (below.startsWith(`${path}/`)) this.#tree.delete(below);
    }
    this.#tree.set(path, node);
    for (let up = parentOf(path); up !== ''; up = parentOf(up)) {
      this.#tree.set(up, { kind: 'folder', layer: this.#layer });
    }
  }

  #hardLink(stored: string, real: string): Buffer | undefined {
    const targets = [...this.#tree]
      .filter(([path, { kind, layer }]) => {
        if (kind === 'folder' || path === real || path.startsWith(`${real}/`)) return false;
        return this.#reader === 'umoci' || layer === this.#layer;
      })
      .map(([path]) => path);
    if (targets.length === 0) return undefined;
    const target = this.#random.pick(targets);
    const node = this.#tree.get(target);
    if (!node) return undefined;
    // A link elsewhere does not lead where the first one does.
    this.#put(real, { kind: node.kind, layer: this.#layer });
    return this.#encode('hardlink', stored, { link: bytes(target) });
  }

  #symlink(stored: string, real: string): Buffer {
    const random = this.#random;
    const siblings = [...this.#tree].filter(
      ([path, { kind }]) => kind === 'folder' && parentOf(path) === parentOf(real) && path !== real,
    );
    if (siblings.length > 0 && random.chance(0.7)) {
      const [leadsTo] = random.pick(siblings);
      this.#put(real, { kind: 'symlink', layer: this.#layer, leadsTo });
      return this.#encode('symlink', stored, { link: bytes(leadsTo.slice(leadsTo.lastIndexOf('/') + 1)) });
    }
    this.#put(real, { kind: 'symlink', layer: this.#layer });
    const target = random.pick([
      'nowhere',
      'a',
      'x/'.repeat(60),
      't'.repeat(255),
      'ü\xff',
      `${'d/'.repeat(500)}e`,
    ]);
    return this.#encode('symlink', stored, { link: bytes(target) });
  }

  #whiteout(): Buffer | undefined {
    const random = this.#random;
    const paths = [...this.#tree.keys()].filter((path) => !path.endsWith(longName(255)));
    const isOpaque = random.chance(0.3);
    const folders = paths.filter((path) => this.#tree.get(path)?.kind === 'folder');
    const choices = isOpaque ? folders : paths;
    if (choices.length === 0 || (!isOpaque && random.chance(0.1))) {
      const folder = random.pick(['', ...folders]);
      return this.#encode('file', `${folder === '' ? '' : `${folder}/`}.wh.missing`, {
        data: Buffer.alloc(0),
      });
    }
    const path = random.pick(choices);
    for (const [each, { layer }] of this.#tree) {
      const isMeant = each.startsWith(`${path}/`) || (!isOpaque && each === path);
      if (isMeant && layer < this.#layer) this.#tree.delete(each);
    }
    // The folders that a whiteout stands in are there from now on.
    const holder = isOpaque ? path : parentOf(path);
    if (holder !== '') this.#put(holder, { kind: 'folder', layer: this.#layer });
    const name = isOpaque ? '.wh..wh..opq' : `.wh.${path.slice(path.lastIndexOf('/') + 1)}`;
    return this.#encode('file', holder === '' ? name : `${holder}/${name}`, { data: Buffer.alloc(0) });
  }

  #xattrs(kind: Kind): (readonly [string, Buffer])[] {
    const random = this.#random;
    if (kind === 'hardlink' || !random.chance(0.4)) return [];
    const value = (): Buffer => {
      if (random.chance(0.2)) return bytes('a\n12 b=c\0\xff');
      // Go's reader of archives, and umoci with it, forgets attributes without a value.
      return random.bytes(random.below(299) + (this.#reader === 'tar' ? 0 : 1));
    };
    const found: [string, Buffer][] = [['SCHILY.xattr.trusted.of.ours', value()]];
    if (kind === 'file' || kind === 'folder') found.push(['SCHILY.xattr.user.some', value()]);
    if (kind === 'folder') found.push(['SCHILY.xattr.user.\xfc\xff', value()]);
    if (kind === 'file' && random.chance(0.5)) {
      const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
      found.push(['SCHILY.xattr.security.capability', capability]);
    }
    return found;
  }

  #encode(kind: Kind, stored: string, more: Partial<RawEntry>): Buffer {
    const random = this.#random;
    const isWhiteout = stored.slice(stored.lastIndexOf('/') + 1).startsWith('.wh.');
    const seconds = random.pick(times);
    const entry: RawEntry = {
      name: bytes(kind === 'folder' ? `${stored}/` : stored),
      flag: flags[kind],
      mode: random.pick(kind === 'file' || this.#reader === 'tar' ? [...modes, 0o100600, 0o40700] : modes),
      uid: random.pick(ids),
      gid: random.pick(ids),
      mtime: seconds * second,
      ...(kind === 'file' && { data: random.bytes(random.pick([0, 1, 511, 512, 513, 4096, 5000])) }),
      ...more,
    };
    const xattrs = isWhiteout ? [] : this.#xattrs(kind);
    if (kind === 'file' && !isWhiteout && random.chance(0.25)) return this.#sparse(entry, xattrs);
    const fitting = dialects.filter((dialect) => xattrs.length === 0 && fits(entry, dialect));
    if (fitting.length > 0 && random.chance(0.7)) return this.#plain(entry, kind, random.pick(fitting));
    return this.#pax(entry, xattrs);
  }

  #plain(entry: RawEntry, kind: Kind, dialect: Dialect): Buffer {
    if (dialect === 'v7') {
      // Version 7 knows no folders but by the slash, and no other types.
      const flag = kind === 'folder' || kind === 'file' ? '\0' : entry.flag;
      return rawEntry({ ...entry, flag }, dialect);
    }
    return rawEntry(
      this.#reader === 'tar' && kind === 'file' && this.#random.chance(0.1) ? { ...entry, flag: '7' } : entry,
      dialect,
    );
  }

  #pax(entry: RawEntry, xattrs: RawEntry['records'] & object): Buffer {
    const random = this.#random;
    const text = (value: string | number | bigint): Buffer => Buffer.from(String(value));
    const seconds = Number((entry.mtime ?? 0n) / second);
    const fractions = ['', '.5', '.123456789', '.000000001', '.0', '.'];
    // Go's reader rounds what is beyond a nanosecond to the other side.
    const fraction = random.pick(this.#reader === 'tar' ? [...fractions, '.1234567899999'] : fractions);
    const records: [string, Buffer][] = [
      ['path', entry.name],
      ['uid', text(entry.uid ?? 0)],
      ['gid', text(entry.gid ?? 0)],
      ['mtime', text(`${seconds}${fraction}`)],
      ['atime', text('1234567890.5')],
      ['comment', text('of no matter')],
    ];
    if (entry.link) records.push(['linkpath', entry.link]);
    const twice = random.chance(0.2)
      ? [['mtime', text(7)] as [string, Buffer], ['uid', text(77)] as [string, Buffer]]
      : [];
    const isOverridden = entry.flag === '0' && random.chance(0.2);
    if (isOverridden) records.push(['size', text(entry.data?.length ?? 0)]);
    const short = { ...entry, name: entry.name.subarray(0, 60), ...(isOverridden && { sizeField: 0 }) };
    // A cut name must not look like a folder's.
    if (entry.flag !== '5' && short.name.at(-1) === 0x2f) short.name = Buffer.from('cut');
    return rawEntry({ ...short, records: [...twice, ...records, ...xattrs] }, 'pax');
  }

  #sparse(entry: RawEntry, xattrs: RawEntry['records'] & object): Buffer {
    const random = this.#random;
    // umoci does not know their type.
    const canBeOld = this.#reader === 'tar' && xattrs.length === 0 && fits(entry, 'gnu');
    const versions: SparseVersion[] = canBeOld ? ['old', '0.0', '0.1', '1.0'] : ['0.0', '0.1', '1.0'];
    const version = random.pick(versions);
    const runs: [number, number][] = [];
    let at = 0;
    const step = random.pick([512, 4096]);
    for (let n = random.pick([0, 1, 2, 4, 5, 30]); n > 0; n -= 1) {
      at += step * random.below(20);
      // GNU tar takes each run from a block of its own, others from where the last one ended: only the last is odd.
      const length = step * (1 + random.below(3)) - (n === 1 ? random.below(step) : 0);
      runs.push([at, length]);
      at += length;
    }
    const hole = random.chance(0.5) ? 0 : random.below(100_000);
    if (hole > 0 || runs.length === 0 || random.chance(0.5)) runs.push([at + hole, 0]);
    const size = at + hole;
    const data = random.bytes(runs.reduce((sum, [, length]) => sum + length, 0));
    const sparse = { version, runs, size };
    if (version === 'old') return rawEntry({ ...entry, flag: 'S', data, sparse }, 'gnu');
    const text = (value: number | bigint): Buffer => Buffer.from(String(value));
    const records: [string, Buffer][] = [
      ['uid', text(entry.uid ?? 0)],
      ['gid', text(entry.gid ?? 0)],
      ['mtime', text((entry.mtime ?? 0n) / second)],
    ];
    // Formats that have no name of their own for the file need it in the path, if it is too long for the header.
    if (version === '0.0') records.push(['path', entry.name]);
    return rawEntry({ ...entry, data, sparse, records: [...records, ...xattrs] }, 'pax');
  }
}

const dialects: readonly Dialect[] = ['v7', 'ustar', 'star', 'gnu'];

function fits(entry: RawEntry, dialect: Dialect): boolean {
  if (dialect === 'gnu') return true;
  const { name, link = Buffer.alloc(0), flag } = entry;
  if (link.length > 100 || (dialect !== 'star' && !hasSmallNumbers(entry))) return false;
  if (dialect === 'v7') return name.length <= 100 && '0125'.includes(flag);
  return name.length <= 100 || canSplit(name, dialect);
}

function hasSmallNumbers({ uid = 0, gid = 0, mtime = 0n }: RawEntry): boolean {
  const seconds = Number(mtime / second);
  return seconds >= 0 && seconds < 8 ** 11 && Math.max(uid, gid) < 0o7777777;
}

function canSplit(name: Buffer, dialect: Dialect): boolean {
  const at = name.subarray(0, dialect === 'star' ? 130 : 155).lastIndexOf(0x2f);
  const rest = name.length - at - 1;
  return at > 0 && rest <= 100 && rest > 0;
}
