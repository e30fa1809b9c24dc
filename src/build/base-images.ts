import type { BlobSource, BuildClaim, ImageRecord, LayerStack } from '#images';
import { invalidArgument, unimplemented } from '#kernel';
import { formatPlatform, type Digest, type ImageConfig, type Platform } from '#oci';
import type { RegistryAuth } from '#registry/client';
import type { ImageRequest, ResolvedImage } from './graph/plan-options.ts';

export interface BaseOptions {
  readonly platform: Platform;
  readonly pull: boolean;
  readonly signal: AbortSignal;
  /** As the Dockerfile calls it. */
  readonly written?: string;
  /** What was found before is gone, and of no use. */
  readonly again?: boolean;
}

/** An image that is not here: its layers are fetched when a step needs them. */
export interface LayoutImage {
  readonly config: ImageConfig;
  readonly layers: LayerStack;
  readonly from: BlobSource;
}

/** What finds the images that builds begin with. */
export interface BaseImages {
  /** Fetches the image where it is not here, or where `pull` asks for the newest. Throws notFound. */
  resolve(reference: string, options: BaseOptions): Promise<ImageRecord>;
  /** Looks into an OCI layout that the client has. */
  layout?(place: NonNullable<ImageRequest['layout']>, options: BaseOptions): Promise<LayoutImage>;
}

/** The same for a client that is asked for its credentials. */
export interface ClientImages {
  resolve(
    reference: string,
    options: BaseOptions & {
      readonly credentials: (host: string) => Promise<RegistryAuth | undefined>;
    },
  ): Promise<ImageRecord>;
}

/** How often an image is looked for that is removed each time before it is held. */
const attempts = 5;

interface HeldImage {
  readonly image: ImageRecord;
  readonly layers: LayerStack;
}

const keyOf = (reference: string, platform: Platform): string => `${reference} ${formatPlatform(platform)}`;

/** From here on the layers of an image stay; undefined where they are gone. */
export type HoldImage = (id: Digest) => Promise<LayerStack | undefined>;

/** The images that one build begins with, from planning to their layers. */
export class BaseLookup {
  readonly #base: BaseImages;
  readonly #options: Pick<BaseOptions, 'pull' | 'signal'>;
  readonly #hold: HoldImage;
  readonly #images = new Map<string, HeldImage>();
  readonly #layouts = new Map<string, LayoutImage>();

  /** `hold`: for a build, which an image's removal must not take its base from. */
  constructor(
    { base, pull, signal }: Pick<BaseOptions, 'pull' | 'signal'> & { readonly base: BaseImages },
    hold: HoldImage = () => Promise.resolve([]),
  ) {
    this.#base = base;
    this.#options = { pull, signal };
    this.#hold = hold;
  }

  async resolve({ reference, platform, written, layout }: ImageRequest): Promise<ResolvedImage> {
    const options = { ...this.#options, platform, written };
    const key = keyOf(reference, platform);
    if (layout) {
      if (!this.#base.layout) throw unimplemented('an OCI layout as a context needs a session of the client');
      const image = await this.#base.layout(layout, options);
      this.#layouts.set(key, image);
      return { digest: '', config: image.config };
    }
    const held = await this.#held(reference, options);
    this.#images.set(key, held);
    return { digest: '', config: held.image.config };
  }

  /** One that is removed before it is held is looked for again. */
  async #held(reference: string, options: BaseOptions): Promise<HeldImage> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const image = await this.#base.resolve(reference, { ...options, again: attempt > 0 });
      const layers = await this.#hold(image.id);
      if (layers) return { image, layers };
    }
    throw invalidArgument(`the layers of the image ${reference} are gone`);
  }

  /** Held for the build. Throws invalidArgument where they are gone. */
  async layersOf(reference: string, platform: Platform, claim: BuildClaim): Promise<LayerStack> {
    const { signal } = this.#options;
    const key = keyOf(reference, platform);
    const layout = this.#layouts.get(key);
    if (layout) return claim.receive(layout.layers, layout.from, { signal });
    const known = this.#images.get(key);
    return (known ?? (await this.#held(reference, { platform, pull: false, signal }))).layers;
  }

  /** Of its index or manifest; undefined for what is not in the image store. */
  digestOf(reference: string, platform: Platform): Digest | undefined {
    return this.#images.get(keyOf(reference, platform))?.image.target.digest;
  }
}
