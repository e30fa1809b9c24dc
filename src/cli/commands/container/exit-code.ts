import type { ContainerWaitResponse } from '#api/types';
import type { EngineAnswer } from '#client';
import { readText } from '#client';

/** The code that a wait answers with; 125 where the engine could not tell. */
export async function exitCode(waiting: EngineAnswer): Promise<number> {
  const result = JSON.parse(await readText(waiting.body)) as ContainerWaitResponse;
  return result.Error ? 125 : result.StatusCode;
}
