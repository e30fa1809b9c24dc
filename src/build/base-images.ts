import type { BlobSource, BuildClaim, ImageBuilding, ImageRecord, LayerStack } from '#images';
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

const keyOf = (reference: string, platform: Platform): string => `${reference} ${formatPlatform(platform)}`;

/** The images that one build begins with, from planning to their layers. */
export class BaseLookup {
  readonly #base: BaseImages;
  readonly #options: Pick<BaseOptions, 'pull' | 'signal'>;
  readonly #images = new Map<string, ImageRecord>();
  readonly #layouts = new Map<string, LayoutImage>();

  constructor({ base, pull, signal }: Pick<BaseOptions, 'pull' | 'signal'> & { readonly base: BaseImages }) {
    this.#base = base;
    this.#options = { pull, signal };
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
    const image = await this.#base.resolve(reference, options);
    this.#images.set(key, image);
    return { digest: '', config: image.config };
  }

  /** Held by the claim. Throws invalidArgument where they are gone. */
  async layersOf(
    reference: string,
    platform: Platform,
    building: ImageBuilding,
    claim: BuildClaim,
  ): Promise<LayerStack> {
    const { signal } = this.#options;
    const key = keyOf(reference, platform);
    const layout = this.#layouts.get(key);
    if (layout) return claim.receive(layout.layers, layout.from, { signal });
    const image =
      this.#images.get(key) ?? (await this.#base.resolve(reference, { platform, pull: false, signal }));
    const layers = building.layersOf(image.id);
    if (!(await claim.use(layers))) throw invalidArgument(`the image ${reference} is gone`);
    return layers;
  }

  /** Of its index or manifest; undefined for what is not in the image store. */
  digestOf(reference: string, platform: Platform): Digest | undefined {
    return this.#images.get(keyOf(reference, platform))?.target.digest;
  }
}
