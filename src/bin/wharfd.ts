import { basename } from 'node:path';
import { runDaemon } from '#daemon';

// The launcher says by which name it was called.
process.exitCode = await runDaemon(process.argv.slice(2), basename(process.env['WHARFD_NAME'] ?? 'wharfd'));
