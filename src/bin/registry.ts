import type { Logger } from '#kernel';
import { runRegistry } from '#registry/server';

/** One JSON object a line on stdout: the access log, and what went wrong. */
const log =
  (level: string) =>
  (fields: object, phrase: string): void =>
    void process.stdout.write(
      `${JSON.stringify({ time: new Date().toISOString(), level, msg: phrase, ...fields })}\n`,
    );
const logger: Logger = { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') };

process.exitCode = await runRegistry(process.argv.slice(2), logger);
