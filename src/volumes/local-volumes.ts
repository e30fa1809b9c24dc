import { lstat, mkdir, opendir, readdir, rename, rm } from 'node:fs/promises';
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
  type Clock,
  type Logger,
} from '#kernel';
import { mount, unmountIfMounted } from '#linux';
import { integer, text, type Database, type Row } from '#metadata';
import { parseDriverOptions } from './driver-options.ts';
import type { VolumeRecord, Volumes, VolumeSpec } from './volumes.ts';

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
}

/** Volumes of the driver `local`: folders under the data root, or what their options have mounted there. */
export class LocalVolumes implements Volumes {
  readonly #options: LocalVolumesOptions;
  readonly #records = new Map<string, VolumeRecord>();
  /** Users of volumes whose options ask for a mount. */
  readonly #mounted = new Map<string, Set<string>>();
  readonly #locks = new KeyedLock();

  constructor(options: LocalVolumesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { db, root, logger } = this.#options;
    await mkdir(root, { recursive: true, mode: 0o701 });
    for (const row of db.all('SELECT * FROM volumes')) {
      const record = this.#fromRow(row);
      this.#records.set(record.name, record);
      await mkdir(record.mountpoint, { recursive: true });
    }
    for (const name of await readdir(root)) {
      if (!name.startsWith('.removing-')) continue;
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
    };
    await mkdir(record.mountpoint, { recursive: true, mode: 0o755 });
    this.#options.db.run(
      'INSERT INTO volumes (name, driver, labels, options, anonymous, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      name,
      record.driver,
      JSON.stringify(record.labels),
      JSON.stringify(record.options),
      record.anonymous ? 1 : 0,
      record.createdAt,
    );
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
    const users = this.#options.users(name);
    if (users.length > 0) {
      throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
    unmountIfMounted(record.mountpoint, { lazy: true });
    const { root, db, logger } = this.#options;
    const doomed = join(root, `.removing-${newId().slice(0, 16)}`);
    await rename(join(root, name), doomed).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    });
    db.run('DELETE FROM volumes WHERE name = ?', name);
    this.#records.delete(name);
    this.#mounted.delete(name);
    this.#options.publish('destroy', record);
    rm(doomed, { recursive: true, force: true }).catch((error: unknown) => {
      logger.warn({ name, error: messageOf(error) }, 'a removed volume left files behind');
    });
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
    return folderSize(this.get(name).mountpoint);
  }

  #mountpoint(name: string): string {
    return join(this.#options.root, name, '_data');
  }

  #fromRow(row: Row): VolumeRecord {
    const name = text(row, 'name');
    return {
      name,
      driver: 'local',
      mountpoint: this.#mountpoint(name),
      // Both columns are written by create() alone.
      labels: JSON.parse(text(row, 'labels')) as Record<string, string>,
      options: JSON.parse(text(row, 'options')) as Record<string, string>,
      anonymous: integer(row, 'anonymous') === 1n,
      createdAt: integer(row, 'created_at'),
    };
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

/** Bytes of the files below a folder; files that vanish meanwhile count nothing. */
async function folderSize(path: string): Promise<number> {
  let size = 0;
  try {
    for await (const entry of await opendir(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) size += await folderSize(child);
      else if (entry.isFile()) size += (await lstat(child).catch(() => undefined))?.size ?? 0;
    }
  } catch (error) {
    // Programs remove folders while they are counted.
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return size;
}
