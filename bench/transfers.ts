import { rm } from 'node:fs/promises';
import type { Job } from './jobs.ts';
import { time } from './measure.ts';
import { startNear, type NearRegistry } from './near-registry.ts';
import { cli, type Peer } from './peers.ts';
import { RoundImages } from './round-images.ts';

/** What a transfer has for one peer. */
interface Place {
  readonly registry: NearRegistry;
  readonly names: string[];
}

/** Moves 170 MB; each round has an image of its own, and all are removed after the last one. */
abstract class Transfer implements Job {
  abstract readonly name: string;
  abstract readonly budget: number;
  readonly better = 'less';
  readonly unit = 'ms';
  readonly rounds = 3;
  readonly #places = new Map<Peer, Place>();
  #images: RoundImages | undefined;
  #round = 0;

  async prepare(peer: Peer): Promise<void> {
    this.#images ??= await RoundImages.open();
    this.#places.set(peer, { registry: await startNear(peer), names: [] });
  }

  async measure(peer: Peer): Promise<number> {
    const place = this.#places.get(peer);
    if (!place || !this.#images) throw new Error('measured before it was prepared');
    this.#round += 1;
    return this.round(peer, place, this.#images, `round${this.#round}`);
  }

  protected abstract round(peer: Peer, place: Place, images: RoundImages, tag: string): Promise<number>;

  async clean(peer: Peer): Promise<void> {
    const place = this.#places.get(peer);
    this.#places.delete(peer);
    if (place && place.names.length > 0) await cli(peer, ['rmi', '-f', ...place.names]);
    await place?.registry[Symbol.asyncDispose]();
    if (this.#places.size === 0) await this.#images?.[Symbol.asyncDispose]();
  }
}

/** Has the peer load a new image; answers the milliseconds. */
async function load(peer: Peer, { names }: Place, images: RoundImages, name: string): Promise<number> {
  const archive = await images.archive(name);
  try {
    const elapsed = await time(() => cli(peer, ['load', '-i', archive]));
    names.push(name);
    return elapsed;
  } finally {
    await rm(archive);
  }
}

class Load extends Transfer {
  readonly name = 'load of 170 MB';
  readonly budget = 0.6;

  protected round(peer: Peer, place: Place, images: RoundImages, tag: string): Promise<number> {
    return load(peer, place, images, `bench-load:${tag}`);
  }
}

/** From a registry on the engine's own loopback. */
class Pull extends Transfer {
  readonly name = 'pull of 170 MB';
  readonly budget = 0.6;

  protected async round(peer: Peer, place: Place, images: RoundImages, tag: string): Promise<number> {
    const { registry, names } = place;
    await images.publish([registry.storage], 'debian', tag);
    const name = `${registry.address}/debian:${tag}`;
    const elapsed = await time(() => cli(peer, ['pull', '-q', name]));
    names.push(name);
    return elapsed;
  }
}

/** Of an image that has just been loaded. */
class Push extends Transfer {
  readonly name = 'push of 170 MB';
  readonly budget = 0.4;

  protected async round(peer: Peer, place: Place, images: RoundImages, tag: string): Promise<number> {
    const name = `${place.registry.address}/debian:${tag}`;
    await load(peer, place, images, name);
    return time(() => cli(peer, ['push', '-q', name]));
  }
}

/** To another registry, of what has been pushed before: compression is no part of it where blobs are kept. */
class PushAgain extends Transfer {
  readonly name = 'push of 170 MB again, elsewhere';
  // As of any push for now; 0.05 is the goal.
  readonly budget = 0.4;

  protected async round(peer: Peer, place: Place, images: RoundImages, tag: string): Promise<number> {
    const name = `${place.registry.address}/debian:${tag}`;
    await load(peer, place, images, name);
    await cli(peer, ['push', '-q', name]);
    await using other = await startNear(peer);
    const again = `${other.address}/debian:${tag}`;
    await cli(peer, ['tag', name, again]);
    place.names.push(again);
    return await time(() => cli(peer, ['push', '-q', again]));
  }
}

export const transfers: readonly Job[] = [new Load(), new Pull(), new Push(), new PushAgain()];
