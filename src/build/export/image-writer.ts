import { invalidArgument } from '#kernel';
import type { LayerStack } from '#images';
import { formatPlatform, mediaTypes, type Descriptor, type Platform } from '#oci';
import type { BuiltPlatform } from './built-platform.ts';
import type { Built, ExportStep } from './exporter.ts';
import { configOf } from './image-config.ts';
import type { ImageForm } from './image-form.ts';
import { layerTypeIn } from './layer-types.ts';
import { documentText, putIndex, type IndexEntry } from './image-index.ts';

/** One platform's image in the content store. */
export interface WrittenManifest {
  readonly platform: Platform;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  /** Blobs of the layers, as the manifest lists them. */
  readonly layers: readonly Descriptor[];
}

/** An image whose documents and layers are in the content store, held by the build. */
export interface WrittenImage {
  /** A manifest, or an index of several and of what is said about them. */
  readonly target: Descriptor;
  readonly manifests: readonly WrittenManifest[];
  /** Everything that the target leads to, and the target itself. */
  readonly content: readonly Descriptor[];
}

export interface WriteOptions {
  readonly form: ImageForm;
  readonly names: readonly string[];
  /** Whether what is said about the image only where it is kept comes along. */
  readonly inline: boolean;
  readonly step: ExportStep;
}

/** Makes the documents of an image, and its layers in the form that is asked for. Throws invalidArgument. */
export function writeImage(built: Built, options: WriteOptions): Promise<WrittenImage> {
  return new ImageWriter(built, options).write();
}

class ImageWriter {
  readonly #built: Built;
  readonly #options: WriteOptions;
  readonly #isIndex: boolean;
  readonly #isOci: boolean;

  constructor(built: Built, options: WriteOptions) {
    this.#built = built;
    this.#options = options;
    const { form, inline } = options;
    const isAttested = built.attestor?.speaks({ inline }) === true;
    this.#isIndex = built.isMultiPlatform || isAttested;
    this.#check(isAttested);
    const needsOci = isAttested || form.layers?.type === 'zstd' || this.#annotatesIndex();
    this.#isOci = form.isOci ?? needsOci;
  }

  async write(): Promise<WrittenImage> {
    const { platforms, attestor } = this.#built;
    const { form, step, names, inline } = this.#options;
    const manifests: WrittenManifest[] = [];
    for (const each of platforms) manifests.push(await this.#platform(each));
    const [first] = manifests;
    if (!first) throw invalidArgument('nothing was built');
    const content = manifests.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
    if (!this.#isIndex) return { target: first.manifest, manifests, content };
    const entries: IndexEntry[] = manifests.map(({ platform, manifest }) => ({
      ...manifest,
      annotations: form.annotations.manifestDescriptor(platform),
      platform,
    }));
    for (const [n, each] of platforms.entries()) {
      const written = manifests[n];
      if (!written || !attestor?.speaks({ inline })) continue;
      const { manifest, layers } = written;
      const image = { built: each, manifest, layers, names, isOci: this.#isOci, inline };
      const said = await attestor.attest(image);
      for (const { entry } of said) step.did(`exporting attestation manifest ${entry.digest}`);
      entries.push(...said.map(({ entry }) => entry));
      content.push(...said.flatMap(({ entry, content: blobs }) => [entry, ...blobs]));
    }
    const options = { isOci: this.#isOci, annotations: form.annotations.index };
    const target = await putIndex(this.#built.claim.outputs, entries, options);
    step.did(`exporting manifest list ${target.digest}`);
    return { target, manifests, content: [...content, target] };
  }

  #annotatesIndex(): boolean {
    const { annotations } = this.#options.form;
    const { platforms } = this.#built;
    const given = [
      annotations.index,
      annotations.indexDescriptor,
      ...platforms.map(({ platform }) => annotations.manifestDescriptor(platform)),
    ];
    return given.some((values) => Object.keys(values).length > 0);
  }

  #check(isAttested: boolean): void {
    const { annotations, isOci } = this.#options.form;
    const here = new Set(this.#built.platforms.map(({ platform }) => formatPlatform(platform)));
    for (const name of annotations.platforms) {
      if (!here.has(name)) throw invalidArgument(`invalid annotation: no platform ${name} found in source`);
    }
    if (isOci === false && this.#annotatesIndex())
      throw invalidArgument('cannot export annotations with "oci-mediatypes=false"');
    if (isOci === false && isAttested)
      throw invalidArgument('cannot export attestations with "oci-mediatypes=false"');
    const ofIndex = { ...annotations.index, ...annotations.indexDescriptor };
    if (!this.#isIndex && Object.keys(ofIndex).length > 0)
      throw invalidArgument('index annotations not supported for single platform export');
  }

  async #platform(built: BuiltPlatform): Promise<WrittenManifest> {
    const { claim, now } = this.#built;
    const { form, step } = this.#options;
    const { plan, platform, inlineCache } = built;
    const epoch = form.epoch ?? this.#built.epoch;
    const stack = await this.#stack(built, epoch);
    step.begins('exporting layers');
    const layers = await this.#layers(stack);
    step.did('exporting layers');
    const configOptions = {
      ...{ now, isSquashed: form.isSquashed },
      ...(epoch !== undefined && { epoch }),
      ...(inlineCache !== undefined && !form.isSquashed && { inlineCache }),
    };
    const text = configOf(plan.image, stack, plan.baseImage, configOptions);
    const config = await claim.outputs.put(
      this.#isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig,
      Buffer.from(text),
    );
    const annotations = form.annotations.manifest(platform);
    const mediaType = this.#isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
    const document = {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
      layers,
      ...(Object.keys(annotations).length > 0 && { annotations }),
    };
    const manifest = await claim.outputs.put(mediaType, documentText(document));
    step.did(`exporting manifest ${manifest.digest}`);
    step.did(`exporting config ${config.digest}`);
    return { platform, manifest, config, layers };
  }

  /** The layers as the image has them, uncompressed. */
  async #stack({ plan, layers }: BuiltPlatform, epoch: number | undefined): Promise<LayerStack> {
    const { claim, signal } = this.#built;
    const { form, step } = this.#options;
    const inherited = plan.baseImage?.rootfs.diff_ids.length ?? 0;
    const squashed = form.isSquashed ? await claim.squash(layers, inherited, { signal }) : layers;
    if (epoch === undefined || !form.clampsFiles) return squashed;
    const latest = BigInt(epoch) * 1_000_000_000n;
    const what = `rewriting layers with source-date-epoch ${epoch}`;
    step.begins(what);
    const clamped = await claim.outputs.clampTimes(squashed, inherited, latest, { signal });
    step.did(what);
    return clamped;
  }

  /** One layer after the other: compressing has several threads to itself. */
  async #layers(stack: LayerStack): Promise<readonly Descriptor[]> {
    const { claim, signal } = this.#built;
    const { form } = this.#options;
    const blobs: Descriptor[] = [];
    for (const layer of stack) {
      const blob = form.layers ? await claim.outputs.convert(layer, form.layers, { signal }) : layer.blob;
      const { digest, size, urls } = blob;
      blobs.push({
        mediaType: layerTypeIn(this.#isOci, blob.mediaType),
        digest,
        size,
        ...(urls && { urls }),
      });
    }
    return blobs;
  }
}
