import { isKind, KeyedLock } from '#kernel';
import type { ImageRecord, Images, ProgressEvent } from '#images';
import { canonicalString, hostPlatform, parseReference, withDigest, type Platform } from '#oci';
import type { RegistryAuth } from '#registry/client';

export interface BaseImageOptions {
  readonly platform: Platform;
  /** Asks the registry although the image is here. */
  readonly pull: boolean;
  readonly signal: AbortSignal;
  /** Asked for the registry of the image, before that is asked. */
  credentials(domain: string): Promise<RegistryAuth | undefined>;
  readonly report: (event: ProgressEvent) => void;
}

/** What is used of the image store. */
export type BaseImageStore = Pick<Images, 'find' | 'get' | 'select' | 'pull' | 'inspectDistribution'>;

const fits = ({ config }: ImageRecord, { os, architecture }: Platform): boolean =>
  config.os === os && config.architecture === architecture;

/** Finds the images that builds begin with: those that are here, else what registries have under their names. */
export class BaseImageFinder {
  readonly #images: BaseImageStore;
  readonly #locks = new KeyedLock();

  constructor(images: BaseImageStore) {
    this.#images = images;
  }

  /** Throws notFound. */
  async find(reference: string, options: BaseImageOptions): Promise<ImageRecord> {
    // One platform of an image after the other: the first one may bring the others' names.
    using _lock = await this.#locks.acquire(reference, options);
    const known = options.pull ? undefined : await this.#here(reference, options);
    if (known) return known;
    const { platform, signal, report } = options;
    const auth = await options.credentials(parseReference(reference).domain);
    const transfer = { platform, signal, report, ...(auth && { auth }) };
    report({ status: `Pulling ${reference}` });
    const name = await this.#nameToPull(reference, transfer);
    await this.#images.pull(name, transfer);
    return (await this.#here(name, options)) ?? this.#images.get(name);
  }

  async #here(reference: string, { platform, signal }: BaseImageOptions): Promise<ImageRecord | undefined> {
    const known = this.#images.find(reference);
    if (!known || fits(known, platform)) return known;
    try {
      const other = await this.#images.select(reference, platform, { signal });
      return fits(other, platform) ? other : undefined;
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /** A name that stands for this host's image goes on standing for it: others are pulled by their digest. */
  async #nameToPull(
    reference: string,
    { platform, ...transfer }: Parameters<Images['pull']>[1] & { readonly platform: Platform },
  ): Promise<string> {
    const host = hostPlatform();
    const isOwn = platform.os === host.os && platform.architecture === host.architecture;
    const known = this.#images.find(reference);
    if (isOwn || !known || !fits(known, host)) return reference;
    const { descriptor } = await this.#images.inspectDistribution(reference, transfer);
    return canonicalString(withDigest(parseReference(reference), descriptor.digest));
  }
}
