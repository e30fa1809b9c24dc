import { EngineError, errnoOf, internal } from '#kernel';

const fullDisk = new Set(['ENOSPC', 'EDQUOT']);

/** A failed system call as an error for a person; a full disk is named. */
export function diskError(error: unknown, root: string): EngineError {
  if (error instanceof EngineError) return error;
  if (fullDisk.has(errnoOf(error) ?? '')) {
    return internal(`no space left on device: the disk under ${root} is full`, error);
  }
  return internal(
    `content store under ${root}: ${error instanceof Error ? error.message : String(error)}`,
    error,
  );
}
