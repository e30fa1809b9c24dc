import { runDaemon } from '#daemon';

process.exitCode = await runDaemon(process.argv.slice(2));
