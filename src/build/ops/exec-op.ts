import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { internal, invalidArgument, messageOf, newId, unimplemented } from '#kernel';
import { unmountInBackground } from '#linux';
import { topOf, type LayerStack } from '#images';
import type { ExecMount, ExecVertex, FileSystem } from '../graph/vertex.ts';
import type { BuildInputs, BuildParts, CommandMount, CommandOptions } from '../solver/ports.ts';
import { checkCanRun } from './emulation.ts';
import { resolveIn } from './mounted.ts';
import { prepareRoot, removeStubs } from './mount-points.ts';
import { CommandError } from './command-error.ts';

/** As BuildKit names a sandbox that has no name. */
const defaultHostname = 'buildkitsandbox';

const nameOf = (variable: string): string => variable.slice(0, variable.indexOf('='));

/** Runs a command over its root; resolves to the layers with what it changed on top. */
export async function runExecOp(
  parts: BuildParts,
  inputs: BuildInputs,
  vertex: ExecVertex,
  root: LayerStack,
  layersOf: (system: FileSystem) => Promise<LayerStack>,
  onOutput: CommandOptions['onOutput'],
): Promise<LayerStack> {
  const { claim, signal } = inputs;
  if (vertex.devices.length > 0) throw unimplemented('RUN --device is not supported yet');
  checkCanRun(vertex.platform);
  const key = await claim.open(root);
  await using opened = new AsyncDisposableStack();
  opened.defer(async () => claim.discard(key));
  const mounts: CommandMount[] = [];
  const env = [...vertex.env];
  const opener = new MountOpener(parts, inputs, layersOf, opened);
  await opener.openCaches(vertex.mounts);
  for (const mount of vertex.mounts) {
    if (mount.kind === 'secret' && mount.env !== undefined) {
      const value = await opener.secret(mount.id, mount.required);
      if (value) env.push(`${mount.env}=${Buffer.from(value).toString()}`);
    }
    const made = await opener.open(mount);
    if (made) mounts.push(made);
  }
  const hostname = vertex.hostname === '' ? defaultHostname : vertex.hostname;
  const proxies = inputs.proxies.filter((each) => !env.some((own) => nameOf(own) === nameOf(each)));
  const command = {
    ...{ id: key, args: vertex.args, env: [...env, ...proxies], user: vertex.user, hostname },
    ...{ workingDirectory: vertex.cwd, network: vertex.network, mounts },
    isPrivileged: vertex.security === 'insecure',
  };
  const stubs = await prepareRoot(
    parts,
    key,
    mounts.map(({ target }) => target),
  );
  const { exitCode, oomKilled } = await parts.commands
    .run(command, { signal, onOutput })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      // It could not be started; the reason is part of what is told.
      onOutput('stderr', Buffer.from(`${messageOf(error)}\n`));
      return { exitCode: 1, oomKilled: false };
    });
  if (stubs.length > 0) await removeStubs(parts, key, stubs);
  if (exitCode !== 0) throw new CommandError(vertex.args, exitCode, oomKilled);
  return [...root, await claim.freeze(key, root, { signal })];
}

type CacheMount = Extract<ExecMount, { kind: 'cache' }>;

/** What a new cache begins with, by name. */
const originOf = ({ from, source }: CacheMount): string => (from === 'scratch' ? '' : `${from} ${source}`);

const cacheName = (mount: CacheMount): string => JSON.stringify([mount.id, originOf(mount)]);

/** Makes what the mounts of a command show. */
class MountOpener {
  readonly #parts: BuildParts;
  readonly #inputs: BuildInputs;
  readonly #layersOf: (system: FileSystem) => Promise<LayerStack>;
  readonly #opened: AsyncDisposableStack;
  /** Folders of caches, by id and what they began with. */
  readonly #caches = new Map<string, string>();

  constructor(
    parts: BuildParts,
    inputs: BuildInputs,
    layersOf: (system: FileSystem) => Promise<LayerStack>,
    opened: AsyncDisposableStack,
  ) {
    this.#parts = parts;
    this.#inputs = inputs;
    this.#layersOf = layersOf;
    this.#opened = opened;
  }

  async open(mount: ExecMount): Promise<CommandMount | undefined> {
    switch (mount.kind) {
      case 'bind':
        return this.#bind(mount);
      case 'cache':
        return this.#cache(mount);
      case 'tmpfs': {
        const options = mount.size > 0 ? `size=${mount.size}` : '';
        return { type: 'tmpfs', target: mount.target, options };
      }
      case 'secret':
        return this.#secretFile(mount);
      case 'ssh':
        throw mount.required
          ? invalidArgument(`unset ssh forward key ${mount.id}`)
          : unimplemented('RUN --mount=type=ssh is not supported yet');
    }
  }

  async secret(id: string, isRequired: boolean): Promise<Uint8Array | undefined> {
    const value = await this.#inputs.secret(id);
    if (!value && isRequired) throw invalidArgument(`secret ${id}: not found`);
    return value;
  }

  async #bind(mount: Extract<ExecMount, { kind: 'bind' }>): Promise<CommandMount> {
    const layers = await this.#layersOf(mount.from);
    const root = await this.#folder();
    const { claim } = this.#inputs;
    const top = topOf(layers);
    if (mount.readOnly && top !== undefined) {
      this.#parts.snapshots.mount(top, root, { readonly: true });
    } else {
      // What is written goes with the snapshot.
      const key = await claim.open(layers);
      this.#opened.defer(async () => claim.discard(key));
      this.#parts.snapshots.mount(key, root);
    }
    this.#opened.defer(async () => unmountInBackground(root));
    return this.#within(root, mount);
  }

  #within(
    root: string,
    { source, target, readOnly }: { source: string; target: string; readOnly: boolean },
  ): CommandMount {
    const place = resolveIn(root, source === '' ? '/' : source);
    if (!place) throw invalidArgument(`failed to calculate checksum of ref: "${source}": not found`);
    return { type: 'bind', source: join(root, place.path), target, readOnly };
  }

  /** Before everything else, in one order for all commands: those that wait for each other's never do so in a circle. */
  async openCaches(mounts: readonly ExecMount[]): Promise<void> {
    const caches = mounts.filter((mount) => mount.kind === 'cache');
    for (const mount of caches.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      const { id, sharing, from, source } = mount;
      const name = cacheName(mount);
      if (this.#caches.has(name)) continue;
      const fill = async (folder: string): Promise<void> =>
        this.#fill(folder, await this.#layersOf(from), source);
      const { signal } = this.#inputs;
      const cache = await this.#parts.mounts.open({ id, origin: originOf(mount), sharing, fill }, { signal });
      this.#opened.use(cache);
      this.#caches.set(name, cache.path);
    }
  }

  #cache(mount: CacheMount): CommandMount {
    const path = this.#caches.get(cacheName(mount));
    if (path === undefined) throw internal(`the cache ${mount.id} is not open`);
    return { type: 'bind', source: path, target: mount.target, readOnly: mount.readOnly };
  }

  async #fill(folder: string, layers: LayerStack, source: string): Promise<void> {
    const top = topOf(layers);
    if (top === undefined) return;
    const root = await this.#folder();
    this.#parts.snapshots.mount(top, root, { readonly: true });
    this.#opened.defer(async () => unmountInBackground(root));
    const { signal } = this.#inputs;
    await this.#parts.archiver.copyTree({ root, path: source === '' ? '/' : source, target: folder, signal });
  }

  async #secretFile(mount: Extract<ExecMount, { kind: 'secret' }>): Promise<CommandMount | undefined> {
    if (mount.env !== undefined && mount.target === undefined) return undefined;
    const value = await this.secret(mount.id, mount.required);
    if (!value) return undefined;
    const folder = await this.#folder();
    const path = join(folder, 'secret');
    await writeFile(path, value, { mode: 0o600 });
    await chown(path, mount.uid, mount.gid);
    await chmod(path, mount.mode);
    return { type: 'bind', source: path, target: mount.target ?? `/run/secrets/${mount.id}`, readOnly: true };
  }

  /** A folder of this command's own, gone with it. */
  async #folder(): Promise<string> {
    const folder = join(this.#parts.mountFolder, newId());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#opened.defer(async () => rm(folder, { recursive: true, force: true }));
    return folder;
  }
}
