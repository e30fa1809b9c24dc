/** Makes beforehand what scenarios share, so that none of them pays for it: images, the unmodified clients. */
import { join } from 'node:path';
import { projectRoot } from './clients.ts';
import { succeed } from './commands.ts';
import { busyboxArchive, debianArchive } from './images.ts';

const began = Date.now();
await succeed('sh', [join(projectRoot, 'tools/reference-engine.sh'), 'clients'], { timeout: 600_000 });
console.log(`test clients are there (${Date.now() - began} ms)`);
for (const archive of [await busyboxArchive(), await debianArchive()]) console.log(`test image: ${archive}`);
