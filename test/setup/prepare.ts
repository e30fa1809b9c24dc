/** Makes beforehand what scenarios share, so that none of them pays for it: images, the unmodified clients. */
import { join } from 'node:path';
import { projectRoot } from './clients.ts';
import { succeed } from './commands.ts';
import { busyboxArchive, debianArchive } from './images.ts';

const began = Date.now();
await succeed('sh', [join(projectRoot, 'tools/reference-engine.sh'), 'clients'], { timeout: 600_000 });
console.log(`test clients are there (${Date.now() - began} ms)`);
console.log(`test image: ${await busyboxArchive()}`);
// The virtual machine needs no more than that.
if (process.argv[2] !== 'busybox') console.log(`test image: ${await debianArchive()}`);
