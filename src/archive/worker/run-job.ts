import { fstatSync, openSync, readSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EngineError, errnoOf, invalidArgument, messageOf } from '#kernel';
import type { Digest } from '#oci';
import { atCwd, close, oPath, openAt, openPipe, syncFileSystem } from '#linux';
import type { ArchiveLimits, LayerFolders } from '../archiver.ts';
import { detectCompression, magicLength } from '../compression.ts';
import type { StoredHeader } from '../tar/header.ts';
import { clampTimes } from './clamp-times.ts';
import { compareLayer } from './compare.ts';
import { compareTrees } from './compare-trees.ts';
import { digestOfFile } from './digest-file.ts';
import { copyTree } from './copy-tree.ts';
import { Extractor, type Content } from './extractor.ts';
import type { Job, JobInput, JobResults } from './jobs.ts';
import { LayerExtractor } from './layer-extractor.ts';
import { listTree } from './list-tree.ts';
import { LowerView } from './lower-view.ts';
import { openRoot, packChanges, packTree, packUpper } from './pack-tree.ts';
import { placeEntries } from './place-entries.ts';
import { removeTreeIn } from './places.ts';
import { InputPipeline, OutputPipeline, type StageTools } from './stages.ts';
import { TarInput } from './tar-input.ts';
import { TarOutput } from './tar-output.ts';
import { HardLinks, walk } from './walk.ts';

/** What a job needs from the thread it runs in. */
export interface JobContext {
  readonly tools: StageTools;
  /** Throws once the job is no longer wanted. */
  check(): void;
  /** Hands the other end of a pipe to the main thread, which closes it. */
  offerPipe(fd: number): void;
}

const sha256 = (hex: string): Digest => `sha256:${hex}` as Digest; // crypto gave us 64 hex digits

function openInput(input: JobInput, wantDigest: boolean, context: JobContext): InputPipeline {
  if ('path' in input) {
    const fd = openSync(input.path, 'r');
    const head = Buffer.alloc(magicLength);
    const length = readSync(fd, head, 0, magicLength, 0);
    const compression = detectCompression(head.subarray(0, length));
    return new InputPipeline(fd, { compression, wantDigest, tools: context.tools });
  }
  const pipe = openPipe(1 << 20);
  context.offerPipe(pipe.write);
  return new InputPipeline(pipe.read, { compression: input.compression, wantDigest, tools: context.tools });
}

interface Sink extends Disposable {
  add(header: StoredHeader, content: Content): void;
  finish(): void;
}

/** What a name or link in an archive can bring about by itself. */
const archivesOwnFault = new Set(['ELOOP', 'ENAMETOOLONG', 'ENOTDIR']);

/** Names the entry in whatever went wrong with it. */
function addEntry(sink: Sink, header: StoredHeader, content: Content): void {
  try {
    sink.add(header, content);
  } catch (error) {
    const code = errnoOf(error);
    if (error instanceof EngineError || code === undefined) throw error;
    const place = `${JSON.stringify(header.name)}: ${messageOf(error)}`;
    if (archivesOwnFault.has(code)) throw invalidArgument(`invalid archive: ${place}`, error);
    throw Object.assign(new Error(`cannot unpack ${JSON.stringify(header.name)}: ${messageOf(error)}`), {
      code,
    });
  }
}

/** How long an archive of limited contents may be, with its headers, padding and what follows its end. */
const longest = ({ size = Infinity }: ArchiveLimits): number => 2 * size + (1 << 30);

function extract(input: TarInput, sink: Sink, limits: ArchiveLimits): { size: number; entries: number } {
  let size = 0;
  let entries = 0;
  input.readEntries((header, content) => {
    entries += 1;
    size += header.size;
    if (size > (limits.size ?? Infinity)) {
      throw invalidArgument(`the archive unpacks to more than the allowed ${limits.size} bytes`);
    }
    if (entries > (limits.entries ?? Infinity)) {
      throw invalidArgument(`the archive has more than the allowed ${limits.entries} entries`);
    }
    addEntry(sink, header, content);
  });
  sink.finish();
  return { size, entries };
}

const upperOf = (mounts: LayerFolders): string => {
  if (mounts.upper === undefined) throw invalidArgument('the snapshot is read-only');
  return mounts.upper;
};

function apply(job: Extract<Job, { kind: 'apply' }>, context: JobContext): JobResults['apply'] {
  const { mounts, limits } = job;
  const check = (): void => context.check();
  using sink = new LayerExtractor({
    root: upperOf(mounts),
    path: '',
    lower: new LowerView(mounts.lower),
    // As Docker does: every container's root is root's and 0755, even if the layer was packed from a private folder.
    ownsRoot: false,
    keepKinds: false,
    isLayer: true,
    deletes: mounts.base !== undefined,
    check,
  });
  using pipeline = openInput(job.input, job.wantDigest, context);
  const input = new TarInput(pipeline.fd, check, longest(limits));
  const { size, entries } = extract(input, sink, limits);
  const arrived = pipeline.finish();
  return {
    diffId: sha256(input.digest()),
    size,
    entries,
    ...(arrived.digest === undefined ? {} : { digest: sha256(arrived.digest), compressedSize: arrived.size }),
  };
}

function unpack(job: Extract<Job, { kind: 'unpack' }>, context: JobContext): JobResults['unpack'] {
  const { root, path, keepKinds, owner, limits } = job;
  const check = (): void => context.check();
  using sink = new Extractor({
    root,
    path,
    keepKinds,
    lower: new LowerView([]),
    ownsRoot: false,
    check,
    ...(owner && { owner }),
  });
  using pipeline = openInput(job.input, false, context);
  const result = extract(new TarInput(pipeline.fd, check, longest(limits)), sink, limits);
  pipeline.finish();
  return result;
}

function clamp(job: Extract<Job, { kind: 'clamp' }>, context: JobContext): JobResults['clamp'] {
  using pipeline = openInput(job.input, false, context);
  const input = new TarInput(pipeline.fd, () => context.check());
  const result = produce('none', context, (output) => clampTimes(input, output, job.latest));
  pipeline.finish();
  return result;
}

/** Runs `write` with an archive whose bytes go to the main thread. */
function produce(
  compression: 'none' | 'gzip',
  context: JobContext,
  write: (output: TarOutput) => void,
): JobResults['pack'] {
  const pipeline = new OutputPipeline({ compression, tools: context.tools });
  try {
    context.offerPipe(pipeline.outlet);
    const output = new TarOutput(pipeline.fd, () => context.check());
    write(output);
    const { digest, size, entries } = output.finish();
    pipeline.finish();
    return { diffId: sha256(digest), size, entries };
  } finally {
    pipeline.finish();
  }
}

function diff(job: Extract<Job, { kind: 'diff' }>, context: JobContext): JobResults['diff'] {
  const { mounts, compression } = job;
  const upper = upperOf(mounts);
  return produce(compression, context, (output) => {
    if (mounts.base === undefined) packUpper(output, upper);
    else {
      const folders = { upper, lower: [], base: mounts.base };
      packChanges(
        output,
        upper,
        compareLayer(folders, () => context.check()),
      );
    }
  });
}

function usage(path: string, context: JobContext): JobResults['usage'] {
  const links = new HardLinks();
  let size = 0;
  let inodes = 0;
  let blocks = 0n;
  const root = openRoot(path);
  try {
    const { dev } = fstatSync(root, { bigint: true });
    walk(root, '', ({ stats }, name) => {
      context.check();
      if (stats.dev !== dev) return false;
      if (links.firstName(stats, name) !== undefined) return false;
      inodes += 1;
      blocks += stats.blocks;
      if (stats.isFile()) size += Number(stats.size);
      return true;
    });
  } finally {
    close(root);
  }
  // st_blocks counts units of 512 bytes, whatever the file system's blocks are: stat(2).
  return { size, inodes, allocated: Number(blocks) * 512 };
}

function remove(path: string, context: JobContext): void {
  let parent: number;
  try {
    parent = openAt(atCwd, dirname(path), oPath);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    removeTreeIn(parent, basename(path), () => context.check());
  } finally {
    close(parent);
  }
}

function sync(path: string): void {
  const folder = openRoot(path);
  try {
    syncFileSystem(folder);
  } finally {
    close(folder);
  }
}

function changes(job: Extract<Job, { kind: 'changes' }>, context: JobContext): JobResults['changes'] {
  const { mounts } = job;
  const folders = { upper: upperOf(mounts), lower: mounts.lower, base: mounts.base };
  return compareLayer(folders, () => context.check());
}

/** Runs a job with blocking calls. Throws EngineError, or errors with the errno name in `code`. */
export function runJob(job: Job, context: JobContext): JobResults[keyof JobResults] {
  switch (job.kind) {
    case 'apply':
      return apply(job, context);
    case 'unpack':
      return unpack(job, context);
    case 'pack':
      return produce('none', context, (output) => packTree(output, job));
    case 'clamp':
      return clamp(job, context);
    case 'diff':
      return diff(job, context);
    case 'changes':
      return changes(job, context);
    case 'list':
      return listTree(job, () => context.check());
    case 'place':
      placeEntries(job, () => context.check());
      return undefined;
    case 'copy':
      copyTree(job, () => context.check());
      return undefined;
    case 'usage':
      return usage(job.path, context);
    case 'remove':
      remove(job.path, context);
      return undefined;
    case 'sync':
      sync(job.path);
      return undefined;
    case 'digest':
      return digestOfFile(job, () => context.check());
    case 'compare':
      return compareTrees(job, () => context.check());
  }
}
