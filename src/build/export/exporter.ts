import type { BuildClaim } from '#images';
import type { BuildParts } from '../solver/ports.ts';
import type { Attestor } from './attestor.ts';
import type { BuiltPlatform } from './built-platform.ts';

/** What a build came to. It is held by the claim, which ends when all exporters are done. */
export interface Built {
  /** In the order in which they were asked for. */
  readonly platforms: readonly BuiltPlatform[];
  /** Several platforms were asked for, or one where the client wants an index all the same. */
  readonly isMultiPlatform: boolean;
  readonly claim: BuildClaim;
  /** Seconds of the build argument SOURCE_DATE_EPOCH. */
  readonly epoch?: number;
  /** What is said about images; nothing without. */
  readonly attestor?: Attestor;
  /** For what is made of files. */
  readonly parts: Pick<BuildParts, 'archiver' | 'snapshots' | 'mountFolder'>;
  /** When the build ended, in RFC 3339. */
  readonly now: string;
  readonly signal: AbortSignal;
}

/** What clients are told of an export, by BuildKit's names: `containerimage.digest`, `image.name`. */
export type ExportResponse = Readonly<Record<string, string>>;

/** For telling how an export goes on. */
export interface ExportStep {
  /** Something begins that takes a while. */
  begins(what: string): void;
  /** Something is done. */
  did(what: string): void;
  /** Bytes so far. */
  transferred(what: string, bytes: number): void;
}

/** Makes something of what was built: an image in the store, files, an archive. */
export interface Exporter {
  /** What clients are told that it does, `exporting to image`. */
  readonly title: string;
  export(built: Built, step: ExportStep): Promise<ExportResponse>;
}
