import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { internal, invalidArgument, newId } from '#kernel';
import { unmountInBackground } from '#linux';
import { topOf, type LayerStack } from '#images';
import { mountIdentity, type CacheMount } from '../cache/cache-mounts.ts';
import { unpackSharedMount } from '../cache/shared-mounts.ts';
import type { ExecMount, FileSystem } from '../graph/vertex.ts';
import type { BuildInputs, BuildParts, CommandMount } from '../solver/ports.ts';
import { openAgentSocket } from './agent-socket.ts';
import { resolveIn } from './mounted.ts';
import { StepVault } from './step-vault.ts';

type OfKind<K extends ExecMount['kind']> = Extract<ExecMount, { kind: K }>;

/** Where the n-th agent of a command is, counted from 0, unless it says. */
const agentPlace = (index: number, { target }: OfKind<'ssh'>): string =>
  target ?? `/run/buildkit/ssh_agent.${index}`;

const isAgent = (mount: ExecMount): mount is OfKind<'ssh'> => mount.kind === 'ssh';

/** The place of the agent that commands find by SSH_AUTH_SOCK; undefined where none is asked for. */
export function agentTarget(mounts: readonly ExecMount[]): string | undefined {
  const [first] = mounts.filter(isAgent);
  return first && agentPlace(0, first);
}

const cacheName = (mount: CacheMount): string => JSON.stringify(mountIdentity(mount));

/** Makes what the mounts of a command show. */
export class MountOpener {
  readonly #parts: BuildParts;
  readonly #inputs: BuildInputs;
  readonly #layersOf: (system: FileSystem) => Promise<LayerStack>;
  readonly #opened: AsyncDisposableStack;
  readonly #vault: StepVault;
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
    this.#vault = new StepVault(parts.mountFolder, opened);
  }

  /** In the order in which they stand. What a client does not have and the command can do without is left out. */
  async openAll(mounts: readonly ExecMount[]): Promise<CommandMount[]> {
    const agents = mounts.filter(isAgent);
    const made: CommandMount[] = [];
    for (const mount of mounts) {
      const one = isAgent(mount)
        ? await this.#agent(mount, agentPlace(agents.indexOf(mount), mount))
        : await this.#open(mount);
      if (one) made.push(one);
    }
    return made;
  }

  async #open(mount: Exclude<ExecMount, { kind: 'ssh' }>): Promise<CommandMount | undefined> {
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
    }
  }

  async secret(id: string, isRequired: boolean): Promise<Uint8Array | undefined> {
    const value = await this.#inputs.secret(id);
    if (!value && isRequired) throw invalidArgument(`secret ${id}: not found`);
    return value;
  }

  async #bind(mount: OfKind<'bind'>): Promise<CommandMount> {
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

  /** Before everything else. Those that are locked are reserved by now. */
  async openCaches(mounts: readonly ExecMount[]): Promise<void> {
    for (const mount of mounts.filter((each) => each.kind === 'cache')) {
      const name = cacheName(mount);
      if (this.#caches.has(name)) continue;
      const { sharing } = mount;
      const fill = async (folder: string, called: string): Promise<void> => {
        if (await unpackSharedMount(called, folder, this.#parts, this.#inputs)) return;
        await this.#fill(folder, await this.#layersOf(mount.from), mount.source);
      };
      const { signal } = this.#inputs;
      const cache = await this.#parts.mounts.open({ ...mountIdentity(mount), sharing, fill }, { signal });
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

  async #secretFile(mount: OfKind<'secret'>): Promise<CommandMount | undefined> {
    if (mount.env !== undefined && mount.target === undefined) return undefined;
    const value = await this.secret(mount.id, mount.required);
    if (!value) return undefined;
    const path = await this.#vault.place();
    await writeFile(path, value, { mode: 0o600 });
    await chown(path, mount.uid, mount.gid);
    await chmod(path, mount.mode);
    return { type: 'bind', source: path, target: mount.target ?? `/run/secrets/${mount.id}`, readOnly: true };
  }

  async #agent(mount: OfKind<'ssh'>, target: string): Promise<CommandMount | undefined> {
    const agent = await this.#inputs.agent(mount.id);
    if (!agent) {
      if (mount.required) throw invalidArgument(`unset ssh forward key ${mount.id}`);
      return undefined;
    }
    const source = await this.#vault.place();
    this.#opened.use(await openAgentSocket(agent, source, mount));
    return { type: 'bind', source, target, readOnly: false };
  }

  /** A folder of this command's own, gone with it. */
  async #folder(): Promise<string> {
    const folder = join(this.#parts.mountFolder, newId());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#opened.defer(async () => rm(folder, { recursive: true, force: true }));
    return folder;
  }
}
