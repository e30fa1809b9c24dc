import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  conflict,
  EngineError,
  errnoOf,
  invalidArgument,
  KeyedLock,
  messageOf,
  newId,
  notFound,
  syncFolder,
  type Clock,
  type Logger,
} from '#kernel';
import { mount, unmountIfMounted } from '#linux';
import type { Database } from '#metadata';
import { parseDriverOptions } from './driver-options.ts';
import { VolumeRows } from './volume-rows.ts';
import type { RetiredVolume, VolumeRecord, Volumes, VolumeSpec, VolumeUpkeep } from './volumes.ts';

export interface LocalVolumesOptions {
  readonly db: Database;
  /** `<data root>/volumes`; each volume is the folder `<name>/_data`. */
  readonly root: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Receives `create` and `destroy`; mounts are told by the containers' side. */
  readonly publish: (action: string, volume: VolumeRecord) => void;
  /** Ids of the containers, running or not, that refer to a volume. */
  readonly users: (name: string) => readonly string[];
  /** Bytes that what is below a folder takes on disk. */
  readonly measure: (folder: string) => Promise<number>;
}

const doomedPrefix = '.removing-';
const retiredPrefix = '.bin-';

/** Volumes of the driver `local`: folders under the data root, or what their options have mounted there. */
export class LocalVolumes implements Volumes, VolumeUpkeep {
  readonly #options: LocalVolumesOptions;
  readonly #rows: VolumeRows;
  readonly #records = new Map<string, VolumeRecord>();
  readonly #retired = new Map<string, RetiredVolume>();
  /** Users of volumes whose options ask for a mount. */
  readonly #mounted = new Map<string, Set<string>>();
  readonly #locks = new KeyedLock();

  constructor(options: LocalVolumesOptions) {
    this.#options = options;
    this.#rows = new VolumeRows(options.db, (name) => this.#mountpoint(name));
  }

  async start(): Promise<void> {
    const { root, logger } = this.#options;
    await mkdir(root, { recursive: true, mode: 0o701 });
    const present = new Set(await readdir(root));
    const records = this.#rows.all();
    const named = new Set(records.map(({ name }) => name));
    for (const retired of this.#rows.retired()) {
      this.#retired.set(retired.id, retired);
      const folder = retiredFolder(retired.id);
      // Its record says that it is in the bin, so its folder goes there: the way in was cut, or the way out.
      const old = retired.record.name;
      if (!present.delete(folder) && present.has(old) && !named.has(old)) {
        await rename(join(root, old), join(root, folder));
      }
    }
    for (const record of records) {
      this.#records.set(record.name, record);
      await mkdir(record.mountpoint, { recursive: true });
    }
    for (const name of present) {
      if (!name.startsWith(doomedPrefix) && !name.startsWith(retiredPrefix)) continue;
      logger.info({ name }, 'finishing the removal of a volume');
      await rm(join(root, name), { recursive: true, force: true });
    }
  }

  async create(spec: VolumeSpec): Promise<VolumeRecord> {
    const driver = spec.driver ?? 'local';
    const name = spec.name === undefined || spec.name === '' ? newId() : spec.name;
    if (driver !== 'local' && driver !== '') {
      throw notFound(
        `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
      );
    }
    checkName(name);
    const options = spec.options ?? {};
    parseDriverOptions(name, options);
    await using _lock = await this.#locks.acquire(name);
    const existing = this.#records.get(name);
    if (existing) return existing;
    const record: VolumeRecord = {
      name,
      driver: 'local',
      mountpoint: this.#mountpoint(name),
      labels: spec.labels ?? {},
      options,
      anonymous: spec.name === undefined || spec.name === '',
      createdAt: this.#options.clock.now(),
      locked: false,
    };
    await mkdir(record.mountpoint, { recursive: true, mode: 0o755 });
    this.#rows.add(record);
    this.#records.set(name, record);
    this.#options.publish('create', record);
    return record;
  }

  find(name: string): VolumeRecord | undefined {
    return this.#records.get(name);
  }

  get(name: string): VolumeRecord {
    const record = this.#records.get(name);
    if (!record) throw notFound(`get ${name}: no such volume`);
    return record;
  }

  list(): readonly VolumeRecord[] {
    return [...this.#records.values()];
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    await using _lock = await this.#locks.acquire(name);
    const record = this.#records.get(name);
    if (!record) {
      if (options.force) return;
      throw notFound(`get ${name}: no such volume`);
    }
    this.#checkRemovable(record);
    unmountIfMounted(record.mountpoint, { lazy: true });
    const { root, logger } = this.#options;
    const doomed = join(root, `${doomedPrefix}${newId().slice(0, 16)}`);
    await moveIfThere(join(root, name), doomed);
    this.#rows.remove(name);
    this.#forget(record);
    rm(doomed, { recursive: true, force: true }).catch((error: unknown) => {
      logger.warn({ name, error: messageOf(error) }, 'a removed volume left files behind');
    });
  }

  #checkRemovable({ name, locked }: VolumeRecord): void {
    if (locked) {
      throw conflict(`remove ${name}: volume is locked: unlock it first, with: wharf volume unlock ${name}`);
    }
    const users = this.#options.users(name);
    if (users.length > 0) {
      throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
  }

  #forget(record: VolumeRecord): void {
    this.#records.delete(record.name);
    this.#mounted.delete(record.name);
    this.#options.publish('destroy', record);
  }

  async setLocked(name: string, locked: boolean): Promise<VolumeRecord> {
    await using _lock = await this.#locks.acquire(name);
    const record = { ...this.get(name), locked };
    this.#rows.lock(name, locked);
    this.#records.set(name, record);
    return record;
  }

  retired(): readonly RetiredVolume[] {
    return [...this.#retired.values()];
  }

  // The record goes first, and start() makes the folder follow it: so a crash leaves the volume in its place or in the
  // bin, never in neither.
  async retire(name: string, batch: string): Promise<RetiredVolume> {
    await using _lock = await this.#locks.acquire(name);
    const record = this.get(name);
    this.#checkRemovable(record);
    unmountIfMounted(record.mountpoint, { lazy: true });
    const { root, clock } = this.#options;
    const retired: RetiredVolume = { id: newId().slice(0, 12), record, at: clock.now(), batch };
    this.#rows.retire(retired);
    try {
      await moveIfThere(join(root, name), join(root, retiredFolder(retired.id)));
    } catch (error) {
      this.#rows.reinstate(retired);
      throw error;
    }
    this.#retired.set(retired.id, retired);
    this.#forget(record);
    await syncFolder(root);
    return retired;
  }

  async reinstate(id: string, name?: string): Promise<VolumeRecord> {
    const { record, ...rest } = this.#getRetired(id);
    const restored = name === undefined ? record : this.#renamed(record, name);
    await using _lock = await this.#locks.acquire(restored.name);
    this.#getRetired(id);
    if (this.#records.has(restored.name)) {
      throw conflict(`the name ${restored.name} is in use again: give the volume from the bin another name`);
    }
    const { root, publish } = this.#options;
    const [folder, place] = [join(root, retiredFolder(id)), join(root, restored.name)];
    // start() looks for the folder under the name in the record.
    this.#rows.renameRetired(id, restored.name);
    await moveIfThere(folder, place);
    try {
      await mkdir(restored.mountpoint, { recursive: true, mode: 0o755 });
      await syncFolder(root);
      this.#rows.reinstate({ ...rest, record: restored });
    } catch (error) {
      await rename(place, folder);
      throw error;
    }
    this.#retired.delete(id);
    this.#records.set(restored.name, restored);
    publish('create', restored);
    return restored;
  }

  #renamed(record: VolumeRecord, name: string): VolumeRecord {
    checkName(name);
    return { ...record, name, mountpoint: this.#mountpoint(name) };
  }

  async discard(id: string): Promise<void> {
    const { root } = this.#options;
    this.#getRetired(id);
    this.#rows.discard(id);
    this.#retired.delete(id);
    await rm(join(root, retiredFolder(id)), { recursive: true, force: true });
  }

  #getRetired(id: string): RetiredVolume {
    const retired = this.#retired.get(id);
    if (!retired) throw notFound(`no volume ${id} in the bin`);
    return retired;
  }

  async acquire(name: string, user: string): Promise<string> {
    await using _lock = await this.#locks.acquire(name);
    const record = this.get(name);
    const source = parseDriverOptions(name, record.options);
    if (!source) return record.mountpoint;
    const users = this.#mounted.get(name) ?? new Set();
    if (users.size === 0) {
      unmountIfMounted(record.mountpoint, { lazy: true });
      try {
        mount({ ...source, target: record.mountpoint });
      } catch (error) {
        throw new EngineError(
          'internal',
          `failed to mount local volume: mount ${source.source}:${record.mountpoint}, data: ${source.data}: ${messageOf(error)}`,
          { cause: error },
        );
      }
    }
    users.add(user);
    this.#mounted.set(name, users);
    return record.mountpoint;
  }

  async release(name: string, user: string): Promise<void> {
    await using _lock = await this.#locks.acquire(name);
    const users = this.#mounted.get(name);
    if (!users?.delete(user) || users.size > 0) return;
    this.#mounted.delete(name);
    const record = this.#records.get(name);
    if (record) unmountIfMounted(record.mountpoint, { lazy: true });
  }

  async usage(name: string): Promise<number> {
    const { mountpoint, options } = this.get(name);
    return Object.keys(options).length > 0 ? 0 : this.#measure(mountpoint);
  }

  async retiredUsage(id: string): Promise<number> {
    this.#getRetired(id);
    return this.#measure(join(this.#options.root, retiredFolder(id), '_data'));
  }

  /** A folder that vanishes meanwhile takes nothing. */
  async #measure(folder: string): Promise<number> {
    try {
      return await this.#options.measure(folder);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 0;
      throw error;
    }
  }

  #mountpoint(name: string): string {
    return join(this.#options.root, name, '_data');
  }
}

const retiredFolder = (id: string): string => `${retiredPrefix}${id}`;

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function checkName(name: string): void {
  if (name.length < 2) {
    throw invalidArgument(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw invalidArgument(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
}
