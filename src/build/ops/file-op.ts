import { posix } from 'node:path';
import { tarHeader, type PlacedEntry } from '#archive';
import { invalidArgument, messageOf } from '#kernel';
import type { LayerStack } from '#images';
import { planCopy, type CopyTarget } from '../files/plan-copy.ts';
import type { CopyAction, FileAction, FileSystem, FileVertex } from '../graph/vertex.ts';
import type { BuildInputs, BuildParts } from '../solver/ports.ts';
import type { Result } from '../solver/result.ts';
import { archiveIn, rangeIn } from '../files/file-range.ts';
import { isArchive } from '../files/is-archive.ts';
import { withSource } from './copy-source.ts';
import { mounted, resolveIn } from './mounted.ts';
import { resolveOwner } from './owner.ts';

/** Does the actions of a file vertex over its base; resolves to the layers with what they changed on top. */
export async function runFileOp(
  parts: BuildParts,
  inputs: BuildInputs,
  vertex: FileVertex,
  base: LayerStack,
  results: (system: FileSystem) => Result,
): Promise<LayerStack> {
  const { claim, signal } = inputs;
  const key = await claim.open(base);
  try {
    await mounted(parts, key, { readonly: false }, async (root) => {
      for (const action of vertex.actions) await new FileWork(parts, inputs, root, results).do(action);
    });
    return [...base, await claim.freeze(key, base, { signal })];
  } catch (error) {
    await claim.discard(key);
    throw error;
  }
}

class FileWork {
  readonly #parts: BuildParts;
  readonly #inputs: BuildInputs;
  readonly #root: string;
  readonly #results: (system: FileSystem) => Result;

  constructor(parts: BuildParts, inputs: BuildInputs, root: string, results: (system: FileSystem) => Result) {
    this.#parts = parts;
    this.#inputs = inputs;
    this.#root = root;
    this.#results = results;
  }

  async do(action: FileAction): Promise<void> {
    switch (action.kind) {
      case 'mkdir':
        return this.#makeFolder(action);
      case 'mkfile':
        return this.#makeFile(action);
      case 'copy':
        return this.#copy(action);
    }
  }

  async #makeFolder({ path, mode, owner }: Extract<FileAction, { kind: 'mkdir' }>): Promise<void> {
    const found = resolveIn(this.#root, path);
    if (found?.isFolder) return;
    if (found) throw invalidArgument(`cannot create ${path}: it is not a folder`);
    const entries: PlacedEntry[] = [];
    const names = posix
      .normalize(path)
      .split('/')
      .filter((name) => name !== '');
    for (const [index] of names.entries()) {
      const name = names.slice(0, index + 1).join('/');
      if (resolveIn(this.#root, name)) continue;
      const attributes = resolveOwner(owner, this.#root) ?? { uid: 0, gid: 0 };
      entries.push({ header: tarHeader({ name, type: 'folder', mode, mtime: now(), ...attributes }) });
    }
    await this.#place(entries);
  }

  async #makeFile({ path, mode, data }: Extract<FileAction, { kind: 'mkfile' }>): Promise<void> {
    const bytes = Buffer.from(data);
    const header = tarHeader({ name: path.slice(1), mode, size: bytes.length, mtime: now() });
    await this.#place([{ header, from: { bytes } }]);
  }

  async #copy(action: CopyAction): Promise<void> {
    const { signal } = this.#inputs;
    const owner = resolveOwner(action.owner, this.#root) ?? { uid: 0, gid: 0 };
    await withSource(this.#parts, this.#results(action.from), action, { signal }, async (source, settled) => {
      const isFromImage = this.#results(action.from).kind === 'layers';
      const keepsOwner = action.owner === '' && isFromImage;
      const plan = planCopy(source, settled, this.#target(), keepsOwner ? undefined : owner);
      const archives = settled.unpack ? await this.#unpack(plan, settled) : new Set<PlacedEntry>();
      const rest = plan.filter((entry) => !archives.has(entry));
      await this.#place([
        ...this.#missingFolders(rest, keepsOwner ? { uid: 0, gid: 0 } : owner, action.mode),
        ...rest,
      ]);
    });
  }

  /** Unpacks those entries that are archives. */
  async #unpack(plan: readonly PlacedEntry[], action: CopyAction): Promise<ReadonlySet<PlacedEntry>> {
    const { archiver } = this.#parts;
    const { signal } = this.#inputs;
    const done = new Set<PlacedEntry>();
    // Only what the source names itself is unpacked, not what lies in a folder.
    if (plan.length !== 1 && plan.some(({ header }) => header.type === 'folder')) return done;
    for (const entry of plan) {
      const contents = rangeIn(entry.from);
      if (!contents || !(await isArchive(contents, signal))) continue;
      const folder = posix.join('/', action.destination);
      await this.#makeFolder({ kind: 'mkdir', path: folder, mode: 0o755, owner: action.owner });
      const owner = resolveOwner(action.owner, this.#root);
      const options = { root: this.#root, path: folder, signal, ...(owner && { owner }) };
      await archiver.unpack(await archiveIn(contents), options);
      done.add(entry);
    }
    return done;
  }

  /** Folders on the way that neither the plan nor the file system has. */
  #missingFolders(
    plan: readonly PlacedEntry[],
    owner: { readonly uid: number; readonly gid: number },
    mode: CopyAction['mode'],
  ): readonly PlacedEntry[] {
    const planned = new Set(plan.map(({ header }) => header.name));
    const missing = new Map<string, PlacedEntry>();
    for (const { header } of plan) {
      for (let folder = posix.dirname(header.name); folder !== '.'; folder = posix.dirname(folder)) {
        if (planned.has(folder) || missing.has(folder) || resolveIn(this.#root, folder)) break;
        const bits = typeof mode === 'number' ? mode & 0o777 : 0o755;
        const made = tarHeader({ name: folder, type: 'folder', mode: bits, mtime: now(), ...owner });
        missing.set(folder, { header: made });
      }
    }
    return [...missing.values()].sort((a, b) => (a.header.name < b.header.name ? -1 : 1));
  }

  #target(): CopyTarget {
    return {
      isFolder: (path) => resolveIn(this.#root, path)?.isFolder === true,
      follow: (path) => resolveIn(this.#root, path)?.path ?? path,
    };
  }

  async #place(entries: readonly PlacedEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { signal } = this.#inputs;
    await this.#parts.archiver.placeEntries({ root: this.#root, entries, signal }).catch((error: unknown) => {
      const onto = /^cannot overwrite non-directory ("[^"]*") with directory/.exec(messageOf(error))?.[1];
      if (onto === undefined) throw error;
      throw invalidArgument(`cannot copy to non-directory: ${JSON.parse(onto) as string}`, error);
    });
  }
}

const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
