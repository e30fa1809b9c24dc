import type { EventSource } from '#events';
import type { Clock } from '#kernel';
import { integer, isFull, text, type Database } from '#metadata';
import type { Digest } from '#oci';

export interface LastUsesOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly events: EventSource;
  /** Images that there are. */
  readonly images: () => readonly Digest[];
  /** The id of what an event of images calls by id or name. */
  readonly imageOf: (reference: string) => Digest | undefined;
  /** Images of a container. */
  readonly imagesOf: (container: string) => readonly Digest[];
}

const upsert =
  'INSERT INTO image_uses (image, used_at) VALUES (?, ?) ON CONFLICT (image) DO UPDATE SET used_at = excluded.used_at';

/** Nanoseconds within which further uses of an image are only remembered, not written. */
const grain = 60_000_000_000n;

const containerUses = new Set(['create', 'start', 'die']);
/** Of images, everything but its end is a use. */
const imageEnds = new Set(['untag', 'delete', 'prune']);

/** When each image was last pulled, tagged, pushed, or run: kept in the table `image_uses`, told by events. */
export class LastUses {
  readonly #options: LastUsesOptions;
  readonly #used = new Map<string, bigint>();
  readonly #written = new Map<string, bigint>();

  constructor(options: LastUsesOptions) {
    this.#options = options;
  }

  /** Reads the table and follows events until the signal. An image that was never seen counts as used now. */
  start(signal: AbortSignal): void {
    const { db, events, images } = this.#options;
    const known = new Set<string>(images());
    for (const row of db.all('SELECT image, used_at FROM image_uses')) {
      const image = text(row, 'image');
      if (!known.has(image)) {
        db.relaxed(() => db.run('DELETE FROM image_uses WHERE image = ?', image));
        continue;
      }
      this.#used.set(image, integer(row, 'used_at'));
      this.#written.set(image, integer(row, 'used_at'));
    }
    for (const image of known) if (!this.#used.has(image)) this.#touch(image);
    void this.#follow(events.subscribe({ signal }));
  }

  /** Nanoseconds since the epoch. */
  of(image: Digest): bigint | undefined {
    return this.#used.get(image);
  }

  async #follow(events: ReturnType<EventSource['subscribe']>): Promise<void> {
    for await (const { Type, Action, Actor } of events) {
      if (Type === 'container' && containerUses.has(Action)) {
        for (const image of this.#options.imagesOf(Actor.ID)) this.#touch(image);
      }
      if (Type !== 'image' || imageEnds.has(Action)) continue;
      const image = this.#options.imageOf(Actor.ID);
      if (image) this.#touch(image);
    }
  }

  #touch(image: string): void {
    const { db, clock } = this.#options;
    const now = clock.now();
    this.#used.set(image, now);
    if (now - (this.#written.get(image) ?? 0n) < grain) return;
    this.#written.set(image, now);
    try {
      db.relaxed(() => db.run(upsert, image, now));
    } catch (error) {
      // It is remembered; and what follows is to be heard of on a full disk too.
      if (!isFull(error)) throw error;
    }
  }
}
