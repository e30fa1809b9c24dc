import { createReadStream, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EngineAnswer } from '#client';
import type { Context } from '../context.ts';

/** Writes an answer to a file, whole or not at all, or to standard output unless that is a terminal. */
export async function saveBody(
  context: Context,
  path: string,
  failure: string,
  send: () => Promise<EngineAnswer>,
): Promise<void> {
  if (path === '') {
    if (context.terminal.stdoutIsTerminal) {
      throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    for await (const chunk of (await send()).body) context.out.write(chunk);
    return;
  }
  checkTarget(path, failure);
  const { body } = await send();
  const { open, rename, rm } = await import('node:fs/promises');
  const temp = `${path}.${process.pid}.tmp`;
  const file = await open(temp, 'w', 0o600);
  try {
    for await (const chunk of body) await file.writeFile(chunk);
    await file.close();
    await rename(temp, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temp, { force: true });
    throw error;
  }
}

function checkTarget(path: string, failure: string): void {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })) {
    throw new Error(`${failure}: invalid output path: stat ${folder}: no such file or directory`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${failure}: cannot write to a directory`);
}

/** The bytes of a file, or of standard input for `-` and an empty path. */
export function inputOf(context: Context, path: string): AsyncIterable<Uint8Array> {
  if (path === '' || path === '-') return context.terminal.input();
  return createReadStream(path, { highWaterMark: 1 << 18 });
}
