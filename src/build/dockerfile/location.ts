import { EngineError, type ErrorKind } from '#kernel';

/** Where something stands in a file: lines counted from 1, columns from 0, the last column exclusive. */
export interface Location {
  readonly firstLine: number;
  readonly firstColumn: number;
  readonly lastLine: number;
  readonly lastColumn: number;
}

/** The whole of these lines. */
export const lines = (firstLine: number, lastLine: number = firstLine): Location => ({
  firstLine,
  firstColumn: 0,
  lastLine: Math.max(firstLine, lastLine),
  lastColumn: 0,
});

/** A Dockerfile that cannot be built; `locations` are what a client marks in the source. */
export class DockerfileError extends EngineError {
  readonly locations: readonly Location[];

  constructor(
    message: string,
    locations: readonly Location[] = [],
    options: { readonly cause?: unknown; readonly kind?: ErrorKind } = {},
  ) {
    super(options.kind ?? 'invalidArgument', message, options);
    this.locations = locations;
  }
}

/** Runs a reader; what it throws without a place of its own gets this one. */
export function locating<T>(location: Location, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DockerfileError) {
      if (error.locations.length > 0) throw error;
      throw new DockerfileError(error.message, [location], { cause: error.cause });
    }
    if (error instanceof EngineError && error.kind === 'invalidArgument') {
      throw new DockerfileError(error.message, [location], { cause: error });
    }
    throw error;
  }
}

/** Locations in order, those that touch or overlap by lines made one. */
export function mergeLocations(locations: readonly Location[]): Location[] {
  const merged: Location[] = [];
  for (const next of locations.toSorted((a, b) => a.firstLine - b.firstLine)) {
    const last = merged.at(-1);
    if (last && next.firstLine <= last.lastLine) {
      if (next.lastLine > last.lastLine) {
        merged[merged.length - 1] = { ...last, lastLine: next.lastLine, lastColumn: next.lastColumn };
      }
    } else merged.push(next);
  }
  return merged;
}
