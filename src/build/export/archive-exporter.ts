import { tarHeader, writeTar, type NewTarEntry } from '#archive';
import { formatTime, invalidArgument, parseTime } from '#kernel';
import {
  algorithmOf,
  canonicalString,
  familiarString,
  hexOf,
  mediaTypes,
  parseReference,
  withDefaultTag,
  type Descriptor,
  type Digest,
} from '#oci';
import { flagOf, namesOf, type ExportAttributes } from './export-attributes.ts';
import type { Built, ExportResponse, Exporter, ExportStep } from './exporter.ts';
import { imageFormOf, type ImageForm } from './image-form.ts';
import { descriptorAnnotations, ofHost, responseOf } from './image-response.ts';
import { writeImage, type WrittenImage } from './image-writer.ts';
import type { OutputSink } from './output-sink.ts';

/** An OCI layout, or that with the file that `docker load` has always read. */
export type ArchiveVariant = 'oci' | 'docker';

/** Sends the image as an archive (`type=oci`, `type=docker`). */
export class ArchiveExporter implements Exporter {
  readonly title: string;
  readonly #variant: ArchiveVariant;
  readonly #sink: OutputSink;
  readonly #names: readonly string[];
  readonly #form: ImageForm;
  /** Otherwise the client gets the blobs one by one, and writes the layout's index by itself. */
  readonly #isTar: boolean;

  /** Throws invalidArgument in BuildKit's words. */
  constructor(variant: ArchiveVariant, sink: OutputSink, attributes: ExportAttributes) {
    const form = imageFormOf(attributes);
    const isOci = form.isOci ?? (variant === 'oci' ? true : undefined);
    this.title = `exporting to ${variant} image format`;
    this.#variant = variant;
    this.#sink = sink;
    this.#names = namesOf(attributes).map((name) => canonicalString(withDefaultTag(parseReference(name))));
    this.#form = { ...form, isOci, layers: form.layers ?? { type: 'gzip' } };
    this.#isTar = flagOf(attributes, 'tar', true);
  }

  async export(built: Built, step: ExportStep): Promise<ExportResponse> {
    if (this.#variant === 'docker' && built.isMultiPlatform)
      throw invalidArgument('docker exporter does not currently support exporting manifest lists');
    const { signal } = built;
    const options = { form: this.#form, names: this.#names, inline: false, step };
    const written = await writeImage(built, options);
    const { target } = written;
    const annotations = {
      ...descriptorAnnotations(this.#form, written),
      'org.opencontainers.image.created': this.#createdAt(built),
    };
    const { config, manifest } = ofHost(written);
    const isAlone = target.digest === manifest.digest;
    const about = responseOf(target, {
      names: this.#names,
      annotations,
      ...(isAlone && { config: config.digest }),
    });
    if (this.#isTar) {
      step.begins('sending tarball');
      const chunks = writeTar(this.#entries(built, written, annotations));
      await this.#sink.bytes(chunks, { about, signal });
      step.did('sending tarball');
    } else {
      const { outputs } = built.claim;
      for (const blob of written.content) {
        await this.#sink.blob(blob, (start) => outputs.open(blob.digest, start), { signal });
      }
    }
    return about;
  }

  /** In whole seconds. */
  #createdAt({ now, epoch }: Built): string {
    const time = this.#form.epoch ?? epoch;
    const nanoseconds = time === undefined ? parseTime(now) : BigInt(time) * 1_000_000_000n;
    return formatTime((nanoseconds / 1_000_000_000n) * 1_000_000_000n);
  }

  *#entries(
    { claim }: Built,
    written: WrittenImage,
    annotations: Readonly<Record<string, string>>,
  ): Generator<NewTarEntry, void, undefined> {
    const blobs = new Map(written.content.map((blob) => [blob.digest, blob]));
    const folders = new Set([...blobs.keys()].map((digest) => `blobs/${algorithmOf(digest)}/`));
    for (const name of ['blobs/', ...folders]) yield { header: tarHeader({ name, type: 'folder' }) };
    for (const { digest, size } of blobs.values()) {
      yield { header: tarHeader({ name: blobPath(digest), size }), content: read(claim.outputs, digest) };
    }
    yield jsonEntry('index.json', layoutIndex(written.target, this.#names, annotations));
    if (this.#variant === 'docker') yield jsonEntry('manifest.json', [dockerEntry(written, this.#names)]);
    yield jsonEntry('oci-layout', { imageLayoutVersion: '1.0.0' });
  }
}

const blobPath = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;

async function* read(
  outputs: Built['claim']['outputs'],
  digest: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* (await outputs.open(digest)) as AsyncIterable<Uint8Array>;
}

function jsonEntry(name: string, value: object): NewTarEntry {
  const content = Buffer.from(JSON.stringify(value));
  return { header: tarHeader({ name, size: content.length }), content };
}

/** The index of the layout, with the names as containerd writes them. */
function layoutIndex(
  { mediaType, digest, size }: Descriptor,
  names: readonly string[],
  annotations: Readonly<Record<string, string>>,
): object {
  const named = names.map((name) => ({
    ...annotations,
    'io.containerd.image.name': name,
    'org.opencontainers.image.ref.name': parseReference(name).tag ?? digest,
  }));
  const manifests = (named.length > 0 ? named : [annotations]).map((each) => ({
    mediaType,
    digest,
    size,
    annotations: each,
  }));
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

function dockerEntry(written: WrittenImage, names: readonly string[]): object {
  const { config, layers } = ofHost(written);
  return {
    Config: blobPath(config.digest),
    RepoTags: names.length === 0 ? null : names.map((name) => familiarString(parseReference(name))),
    Layers: layers.map(({ digest }) => blobPath(digest)),
  };
}
