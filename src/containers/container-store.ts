import { conflict, invalidArgument, notFound } from '#kernel';
import { text, type Database } from '#metadata';
import type { ContainerRecord } from './container-record.ts';

export const noSuchContainer = (ref: string): Error => notFound(`No such container: ${ref}`);

/** Containers by id and name, in memory and in the table `containers`; what put() returned is durable. */
export class ContainerStore {
  readonly #db: Database;
  readonly #records = new Map<string, ContainerRecord>();
  readonly #names = new Map<string, string>();

  constructor(db: Database) {
    this.#db = db;
  }

  load(): void {
    for (const row of this.#db.all('SELECT record FROM containers ORDER BY created_at')) {
      const record = decode(text(row, 'record'));
      this.#records.set(record.id, record);
      this.#names.set(record.name, record.id);
    }
  }

  /** Oldest first. */
  list(): readonly ContainerRecord[] {
    return [...this.#records.values()];
  }

  find(id: string): ContainerRecord | undefined {
    return this.#records.get(id);
  }

  holderOf(name: string): string | undefined {
    return this.#names.get(name);
  }

  /** By id, name (with or without slash) or unique id prefix. Throws notFound or, for an ambiguous prefix, invalidArgument. */
  get(ref: string): ContainerRecord {
    const exact = this.#records.get(ref);
    if (exact) return exact;
    const named = this.#names.get(ref.startsWith('/') ? ref.slice(1) : ref);
    const byName = named === undefined ? undefined : this.#records.get(named);
    if (byName) return byName;
    if (/^[0-9a-f]+$/.test(ref)) {
      const matches = [...this.#records.keys()].filter((id) => id.startsWith(ref));
      if (matches.length > 1) {
        throw invalidArgument(`Multiple IDs found with provided prefix: ${ref}`);
      }
      const match = matches[0] === undefined ? undefined : this.#records.get(matches[0]);
      if (match) return match;
    }
    return this.#linked(ref);
  }

  /** By the name that a link gives it (`web/db`). */
  #linked(ref: string): ContainerRecord {
    const [, owner = '', alias = ''] = /^\/?([^/]+)\/(.+)$/.exec(ref) ?? [];
    const holder = this.#records.get(this.#names.get(owner) ?? '');
    const link = holder?.links?.find((one) => one.alias === alias);
    const target = link && this.#records.get(link.id);
    if (!target) throw noSuchContainer(ref);
    return target;
  }

  /** Adds or replaces, durably. Throws conflict in Docker's words when another container has the name. */
  put(record: ContainerRecord): void {
    const holder = this.#names.get(record.name);
    if (holder !== undefined && holder !== record.id) {
      throw conflict(
        `Conflict. The container name "/${record.name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    const write = (): number =>
      this.#db.run(
        'INSERT INTO containers (id, name, created_at, record) VALUES (?, ?, ?, ?) ' +
          'ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record',
        record.id,
        record.name,
        record.createdAt,
        encode(record),
      );
    this.#commit(record, write);
    const before = this.#records.get(record.id);
    if (before && before.name !== record.name) this.#names.delete(before.name);
    this.#records.set(record.id, record);
    this.#names.set(record.name, record.id);
  }

  remove(id: string): void {
    const record = this.#records.get(id);
    if (!record) return;
    this.#commit(record, () => this.#db.run('DELETE FROM containers WHERE id = ?', id));
    this.#records.delete(id);
    this.#names.delete(record.name);
  }

  /** A container that removes itself is gone after a loss of power whatever its row says, so its rows need no fsync. */
  #commit(record: ContainerRecord, write: () => unknown): void {
    if (record.hostConfig.AutoRemove) this.#db.relaxed(write);
    else write();
  }
}

const encode = (record: ContainerRecord): string =>
  JSON.stringify(record, (_key, value: unknown) =>
    typeof value === 'bigint' ? { $bigint: value.toString() } : value,
  );

function decode(json: string): ContainerRecord {
  const value: unknown = JSON.parse(json, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && '$bigint' in member
      ? BigInt(String(member.$bigint))
      : member,
  );
  // Written by encode() alone.
  return value as ContainerRecord;
}
