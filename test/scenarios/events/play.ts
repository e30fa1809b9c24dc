import type { Engine } from './engine.ts';
import { normalise, type PlainEvent } from './normalise.ts';
import type { Scene } from './scenes.ts';

/** Runs a scene and answers its events; a volume made after it marks the end. */
export async function play(engine: Engine, scene: Scene): Promise<PlainEvent[]> {
  using log = await engine.events();
  await scene.run(engine, log);
  await engine.call('POST', '/volumes/create', { Name: 'evt-marker' });
  const end = await log.until(({ Type, Actor }) => Type === 'volume' && Actor.ID === 'evt-marker');
  await engine.call('DELETE', '/volumes/evt-marker');
  return normalise(log.seen.slice(0, end - 1));
}
