import { invalidArgument } from '#kernel';
import type { LayerForm } from '#images';
import { parseAnnotations, type Annotations } from './annotations.ts';
import { flagOf, layerFormOf, parseEpoch, switchOf, type ExportAttributes } from './export-attributes.ts';

/** What an image's documents and layers are to look like. */
export interface ImageForm {
  /** Undefined: as they are. */
  readonly layers: LayerForm | undefined;
  /** Media types of OCI in place of Docker's; undefined: Docker's, unless something in the image needs the others. */
  readonly isOci: boolean | undefined;
  readonly annotations: Annotations;
  /** Seconds: in place of what the build's arguments say. */
  readonly epoch: number | undefined;
  /** Whether files in new layers are no later than the build's SOURCE_DATE_EPOCH. */
  readonly clampsFiles: boolean;
  /** New layers become one, as the legacy builder's `--squash` does it. */
  readonly isSquashed: boolean;
}

const conflictWith = (option: string): Error =>
  invalidArgument(`exporter option "${option}" conflicts with "oci-mediatypes=false"`);

/** Reads the attributes that all exporters of images share. Throws invalidArgument in BuildKit's words. */
export function imageFormOf(attributes: ExportAttributes): ImageForm {
  const layers = layerFormOf(attributes);
  const isOci = switchOf(attributes, 'oci-mediatypes');
  if (isOci === false && layers?.type === 'zstd') throw conflictWith('compression=zstd');
  const annotations = parseAnnotations(attributes);
  return {
    layers,
    isOci,
    annotations,
    epoch: parseEpoch(attributes['source-date-epoch']),
    clampsFiles: flagOf(attributes, 'rewrite-timestamp', true),
    isSquashed: false,
  };
}
