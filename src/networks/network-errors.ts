import { conflict, EngineError, notFound } from '#kernel';

/** Docker's texts and, by kind, its status codes: clients match on both. */
export const noSuchNetwork = (name: string): EngineError => notFound(`network ${name} not found`);

export const networkExists = (name: string): EngineError =>
  conflict(`network with name ${name} already exists`);

export const poolOverlaps = (): EngineError =>
  forbidden('invalid pool request: Pool overlaps with other one on this address space');

export const forbidden = (message: string): EngineError => new EngineError('permissionDenied', message);

/** An error as the start of a container reports it: same kind, Docker's words before it. */
export function networkingFailed(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const kind = error instanceof EngineError ? error.kind : 'internal';
  return new EngineError(kind, `failed to set up container networking: ${error.message}`, {
    // The text is repeated, so the error itself would only double it in logs.
    cause: error instanceof EngineError ? error.cause : error,
  });
}

/** Several problems as Go's joined errors show them: one on a line of its own, more of them as a list. */
export const listed = (problems: readonly string[]): string =>
  problems.length === 1 ? (problems[0] ?? '') : problems.map((problem) => `* ${problem}`).join('\n');
