/** A structured logger: a constant phrase and fields. pino fits it. */
export interface Logger {
  debug(fields: object, phrase: string): void;
  info(fields: object, phrase: string): void;
  warn(fields: object, phrase: string): void;
  error(fields: object, phrase: string): void;
}

const ignore = (): void => undefined;

/** For tests and for code that runs without a daemon. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
