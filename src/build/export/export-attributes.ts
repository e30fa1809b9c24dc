import { invalidArgument } from '#kernel';
import type { LayerCompressionType, LayerForm } from '#images';

/** How a client describes an output: `name=…,push=true,compression=zstd`. */
export type ExportAttributes = Readonly<Record<string, string>>;

/** As Go's strconv.ParseBool. */
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/** A switch that is on when it is named without a value. Throws invalidArgument in BuildKit's words. */
export function flagOf(attributes: ExportAttributes, name: string, otherwise = false): boolean {
  return switchOf(attributes, name) ?? otherwise;
}

/** The same; undefined where it is not named. */
export function switchOf(attributes: ExportAttributes, name: string): boolean | undefined {
  const text = attributes[name];
  if (text === undefined) return undefined;
  const value = text === '' ? true : booleans.get(text);
  if (value !== undefined) return value;
  const reason = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw invalidArgument(`non-bool value specified for ${name}: ${reason}`);
}

const compressionTypes: readonly LayerCompressionType[] = ['uncompressed', 'gzip', 'zstd'];

/** How layers are to be compressed; undefined where nothing is said. Throws invalidArgument. */
export function layerFormOf(attributes: ExportAttributes): LayerForm | undefined {
  const { compression, 'compression-level': level } = attributes;
  const isForced = flagOf(attributes, 'force-compression');
  if (compression === undefined && level === undefined && !isForced) return undefined;
  const type = compressionTypes.find((each) => each === (compression ?? 'gzip'));
  if (type === undefined) throw invalidArgument(`unsupported compression type ${compression ?? ''}`);
  if (level === undefined) return { type, isForced };
  if (!/^[+-]?\d+$/.test(level)) {
    const reason = `strconv.ParseInt: parsing ${JSON.stringify(level)}: invalid syntax`;
    throw invalidArgument(`non-integer value ${level} specified for compression-level: ${reason}`);
  }
  const most = type === 'zstd' ? 22 : 9;
  return { type, isForced, level: Math.max(0, Math.min(most, Number(level))) };
}

/** Seconds of SOURCE_DATE_EPOCH; undefined where it is empty or not given. Throws invalidArgument in BuildKit's words. */
export function parseEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  const reason = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw invalidArgument(`invalid source-date-epoch: ${reason}: ${reason}`);
}

/** The names of an image, as they are written in one attribute. */
export const namesOf = (attributes: ExportAttributes): readonly string[] =>
  (attributes['name'] ?? '').split(',').filter((name) => name !== '');
