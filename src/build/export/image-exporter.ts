import { EngineError, invalidArgument, kindOf, messageOf } from '#kernel';
import type { ImageRecord } from '#images';
import { parseReference, type Digest } from '#oci';
import type { RegistryAuth } from '#registry/client';
import { flagOf, namesOf, switchOf, type ExportAttributes } from './export-attributes.ts';
import type { Built, ExportResponse, Exporter, ExportStep } from './exporter.ts';
import { isAnnotation } from './annotations.ts';
import { imageFormOf, type ImageForm } from './image-form.ts';
import { descriptorAnnotations, ofHost, responseOf, shown } from './image-response.ts';
import { writeImage, type WrittenImage } from './image-writer.ts';

export interface ImageExport {
  readonly form: ImageForm;
  readonly names: readonly string[];
  /** Repositories of further names, that end in `@digest`. */
  readonly canonicalNames: readonly string[];
  /** Whether the image is kept here. */
  readonly isStored: boolean;
  readonly isPushed: boolean;
  /** Pushed without a tag. */
  readonly byDigest: boolean;
  /** An image that is here with the same configuration gets the manifest that is made now. */
  readonly replaces: boolean;
}

/** What is asked of the image exporter (`moby`, `image`). Throws invalidArgument in BuildKit's words. */
export function imageExportOf(attributes: ExportAttributes): ImageExport {
  const isPushed = flagOf(attributes, 'push');
  const names = namesOf(attributes);
  for (const name of names) parseReference(name);
  const given = imageFormOf(attributes);
  if (flagOf(attributes, 'registry.insecure'))
    throw invalidArgument('registry.insecure is not supported: add the registry to insecure-registries');
  if (isPushed && names.length === 0) throw invalidArgument('tag is needed when pushing to registry');
  flagOf(attributes, 'unpack');
  const prefix = attributes['dangling-name-prefix'];
  const isDangling =
    prefix !== undefined && (names.length === 0 || !flagOf(attributes, 'danging-name-empty-only'));
  const asksForForm =
    given.layers !== undefined || given.isOci !== undefined || Object.keys(attributes).some(isAnnotation);
  return {
    form: { ...given, layers: given.layers ?? (isPushed ? { type: 'gzip' } : undefined) },
    names,
    canonicalNames: [...(flagOf(attributes, 'name-canonical') ? names : []), ...(isDangling ? [prefix] : [])],
    isStored: switchOf(attributes, 'store') ?? true,
    isPushed,
    byDigest: flagOf(attributes, 'push-by-digest'),
    replaces: isPushed || asksForForm,
  };
}

/** An image of the store's own form, under these names or none. Throws invalidArgument for what is no name. */
export const plainExport = (names: readonly string[], form: Partial<ImageForm> = {}): ImageExport => {
  const plain = imageExportOf({ name: names.join(',') });
  return { ...plain, form: { ...plain.form, ...form } };
};

/** Puts what was built into the image store, and into registries if asked to. */
export class ImageExporter implements Exporter {
  readonly title = 'exporting to image';
  readonly #wanted: ImageExport;
  readonly #credentials: (name: string) => Promise<RegistryAuth | undefined>;
  #id: Digest | undefined;

  constructor(
    wanted: ImageExport,
    credentials: (name: string) => Promise<RegistryAuth | undefined> = () => Promise.resolve(undefined),
  ) {
    this.#wanted = wanted;
    this.#credentials = credentials;
  }

  /** The image's id, once it is there. */
  get id(): Digest | undefined {
    return this.#id;
  }

  async export(built: Built, step: ExportStep): Promise<ExportResponse> {
    const { form, names, isStored, isPushed } = this.#wanted;
    // What clients ask for by default belongs to what leaves: an image that stays here keeps its digest.
    const written = await writeImage(built, { form, names, inline: isPushed, step });
    const record = isStored ? await this.#store(built, written, step) : undefined;
    if (isPushed) await this.#push(built, written, step);
    const isOne = written.target.digest === ofHost(written).manifest.digest;
    const target = isPushed || !record ? written.target : record.target;
    return responseOf(target, {
      names,
      annotations: descriptorAnnotations(form, written),
      ...(record ? { config: record.id } : isOne && { config: ofHost(written).config.digest }),
    });
  }

  async #store({ claim, signal }: Built, written: WrittenImage, step: ExportStep): Promise<ImageRecord> {
    const { names, canonicalNames, replaces } = this.#wanted;
    const { platform, manifest } = ofHost(written);
    const options = { names, canonicalNames, platform, manifest, replaces, signal };
    const record = await claim.outputs.admit(written.target, options);
    this.#id = record.id;
    step.did(`writing image ${record.id}`);
    for (const name of names) step.did(`naming to ${shown(name)}`);
    return record;
  }

  async #push({ claim, signal }: Built, { target }: WrittenImage, step: ExportStep): Promise<void> {
    const { names, byDigest } = this.#wanted;
    for (const name of names) {
      const auth = await this.#credentials(name);
      step.begins('pushing layers');
      try {
        await claim.outputs.push(target, name, { byDigest, signal, ...(auth && { auth }) });
      } catch (error) {
        signal.throwIfAborted();
        const message = `failed to push ${shown(name)}: ${messageOf(error)}`;
        throw new EngineError(kindOf(error), message, { cause: error });
      }
      step.did('pushing layers');
      step.did(`pushing manifest for ${shown(name)}@${target.digest}`);
    }
  }
}
