import { jsonLinesLogger } from '#kernel';
import { runRegistry } from '#registry/server';

// The access log, and what went wrong.
process.exitCode = await runRegistry(process.argv.slice(2), jsonLinesLogger(process.stdout));
