import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { TarHeader, TarType } from '#archive';
import { emptyStat, goModeOf, type EntryType } from '#filesync';
import { invalidArgument, pathToBytes, unimplemented } from '#kernel';
import { parseEpoch, switchOf, type ExportAttributes } from './export-attributes.ts';
import type { Built, ExportResponse, Exporter, ExportStep } from './exporter.ts';
import { mountedPlatforms, type MountedPlatform } from './mounted-platforms.ts';
import type { OutputSink, SentFile } from './output-sink.ts';

/** Sends the file system that was built to a folder of the client (`type=local`), one folder per platform of several. */
export class LocalExporter implements Exporter {
  readonly title = 'exporting to client directory';
  readonly #sink: OutputSink;
  readonly #isSplit: boolean | undefined;
  readonly #prefix: string;
  readonly #epoch: number | undefined;

  /** Throws invalidArgument in BuildKit's words. */
  constructor(sink: OutputSink, attributes: ExportAttributes) {
    this.#sink = sink;
    this.#prefix = attributes['attestation-prefix'] ?? '';
    this.#isSplit = switchOf(attributes, 'platform-split');
    this.#epoch = parseEpoch(attributes['source-date-epoch']);
    if ((attributes['mode'] ?? 'copy') !== 'copy')
      throw unimplemented(`the mode ${attributes['mode'] ?? ''} of local outputs is not supported: use copy`);
  }

  async export(built: Built, step: ExportStep): Promise<ExportResponse> {
    const isSplit = this.#isSplit ?? built.isMultiPlatform;
    const epoch = this.#epoch ?? built.epoch;
    const mtime = epoch === undefined ? undefined : BigInt(epoch) * 1_000_000_000n;
    const { signal, parts } = built;
    const senders = new Map<string, string>();
    const isShared = built.isMultiPlatform && !isSplit;
    await mountedPlatforms(built, { prefix: this.#prefix, isShared, epoch }, async (mounts) => {
      for (const mount of mounts) {
        const entries = await parts.archiver.listTree({ root: mount.root, signal });
        const headers = entries.map(({ header }) => (mtime === undefined ? header : { ...header, mtime }));
        const below = headers.filter(({ name }) => name !== '.');
        if (!isSplit) noteSenders(senders, below, mount.name);
        const files = isSplit
          ? [folderOf(mount, mtime), ...filesOf(below, mount, true)]
          : filesOf(below, mount, false);
        const what = isSplit ? `copying files ${mount.name}` : 'copying files';
        const onProgress = (bytes: number): void => step.transferred(what, bytes);
        await this.#sink.files(files, { signal, onProgress });
        step.did(what);
      }
    });
    return {};
  }
}

/** Two platforms may not have the same file in one place. Throws invalidArgument in BuildKit's words. */
function noteSenders(senders: Map<string, string>, headers: readonly TarHeader[], platform: string): void {
  for (const { name, type } of headers) {
    if (type === 'folder') continue;
    const other = senders.get(name);
    if (other !== undefined) {
      throw invalidArgument(
        `cannot overwrite ${name} from ${other} with ${platform} when split option is disabled`,
      );
    }
    senders.set(name, platform);
  }
}

const folderOf = ({ folder }: MountedPlatform, mtime = 0n): SentFile => ({
  stat: { ...emptyStat, path: folder, mode: goModeOf('directory', 0o755), modTime: mtime },
});

const entryTypes: Readonly<Record<TarType, EntryType>> = {
  file: 'file',
  hardlink: 'hard-link',
  symlink: 'symlink',
  folder: 'directory',
  fifo: 'fifo',
  character: 'character',
  block: 'block',
};

function filesOf(
  headers: readonly TarHeader[],
  { root, folder }: MountedPlatform,
  isSplit: boolean,
): readonly SentFile[] {
  const placed = (path: string): string => (isSplit ? `${folder}/${path}` : path);
  return headers.map((header) => {
    const { name, type, mode, uid, gid, size, mtime, linkName, deviceMajor, deviceMinor, xattrs } = header;
    const stat = {
      ...{
        path: placed(name),
        mode: goModeOf(entryTypes[type], mode),
        uid,
        gid,
        size,
        modTime: mtime,
        xattrs,
      },
      linkname: type === 'hardlink' ? placed(linkName) : linkName,
      devmajor: deviceMajor,
      devminor: deviceMinor,
    };
    if (type !== 'file') return { stat };
    const path = Buffer.concat([Buffer.from(`${root}/`), pathToBytes(name)]);
    return { stat, open: () => contentsOf(path, size) };
  });
}

/** bytes */
const pieceSize = 1 << 18;

/** A stream costs several times what it takes to read a small file. */
async function* contentsOf(path: Buffer, size: number): AsyncGenerator<Uint8Array, void> {
  if (size <= pieceSize) yield await readFile(path);
  else yield* createReadStream(path, { highWaterMark: pieceSize }) as AsyncIterable<Uint8Array>;
}
