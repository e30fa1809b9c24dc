import { readFile } from 'node:fs/promises';
import { busyboxArchive } from '../setup/index.ts';
import { ask } from './wire.ts';

/** The image of all scenarios, the same one in both engines. */
export async function loadImages(socket: string): Promise<void> {
  const body = await readFile(await busyboxArchive());
  const headers = { 'Content-Type': 'application/x-tar' };
  const answer = await ask(socket, { method: 'POST', path: '/images/load?quiet=1', headers, body });
  if (answer.status !== 200) throw new Error(`busybox was not loaded: ${answer.body.toString()}`);
}
