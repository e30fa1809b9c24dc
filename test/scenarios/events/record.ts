import { writeFileSync } from 'node:fs';
import { loadImages } from '../../parity/images.ts';
import { Engine } from './engine.ts';
import { play } from './play.ts';
import { scenes } from './scenes.ts';

/**
 * Records the golden file anew: `node test/scenarios/events/record.ts SOCKET FILE`. The engine must be one that nobody
 * else uses, since prunes are among the scenes.
 */
const [, , socket = '', file = ''] = process.argv;
const engine = new Engine(socket);
await loadImages(socket);
const recorded: Record<string, unknown> = {};
for (const scene of scenes) {
  console.error(scene.name);
  recorded[scene.name] = await play(engine, scene);
}
writeFileSync(file, `${JSON.stringify(recorded, undefined, 1)}\n`);
