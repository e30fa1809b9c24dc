import { EngineError, kindOf, messageOf, type ErrorKind } from './errors.ts';

/** Runs a call; an error of its says first what was to be done, and keeps its kind unless one is given. */
export function prefixErrors<T>(prefix: string, call: () => T, kind?: ErrorKind): T {
  try {
    return call();
  } catch (error) {
    throw new EngineError(kind ?? kindOf(error), prefix + messageOf(error), { cause: error });
  }
}
