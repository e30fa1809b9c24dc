import { parseEpoch, type ExportAttributes } from './export-attributes.ts';
import type { Built, ExportResponse, Exporter, ExportStep } from './exporter.ts';
import { mountedPlatforms } from './mounted-platforms.ts';
import type { OutputSink } from './output-sink.ts';

/** Sends the file system that was built as a tar (`type=tar`), with a folder per platform of several. */
export class TarExporter implements Exporter {
  readonly title = 'exporting to client tarball';
  readonly #sink: OutputSink;
  readonly #prefix: string;
  readonly #epoch: number | undefined;

  /** Throws invalidArgument in BuildKit's words. */
  constructor(sink: OutputSink, attributes: ExportAttributes) {
    this.#sink = sink;
    this.#prefix = attributes['attestation-prefix'] ?? '';
    this.#epoch = parseEpoch(attributes['source-date-epoch']);
  }

  async export(built: Built, step: ExportStep): Promise<ExportResponse> {
    const { signal, parts, isMultiPlatform } = built;
    const epoch = this.#epoch ?? built.epoch;
    const time = epoch === undefined ? {} : { mtime: BigInt(epoch) * 1_000_000_000n };
    const statements = { prefix: this.#prefix, isShared: false, epoch };
    await mountedPlatforms(built, statements, async ([only], parent) => {
      const root = isMultiPlatform || !only ? parent : only.root;
      step.begins('sending tarball');
      const { stream } = parts.archiver.pack({ root, name: '', signal, ...time });
      await this.#sink.bytes(stream as AsyncIterable<Uint8Array>, { about: {}, signal });
    });
    step.did('sending tarball');
    return {};
  }
}
