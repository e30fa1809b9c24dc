/** A structured logger: a constant phrase and fields. pino fits it. */
export interface Logger {
  debug(fields: object, phrase: string): void;
  info(fields: object, phrase: string): void;
  warn(fields: object, phrase: string): void;
  error(fields: object, phrase: string): void;
}

/** One JSON object a line; debug is left out. */
export function jsonLinesLogger(output: NodeJS.WritableStream): Logger {
  const log =
    (level: string) =>
    (fields: object, phrase: string): void =>
      void output.write(
        `${JSON.stringify({ time: new Date().toISOString(), level, msg: phrase, ...fields })}\n`,
      );
  return { debug: ignore, info: log('info'), warn: log('warn'), error: log('error') };
}

const ignore = (): void => undefined;

/** For tests and for code that runs without a daemon. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
