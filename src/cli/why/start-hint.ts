import type { ContainerInspectResponse } from '#api/types';
import { messageOf } from '#kernel';
import type { Context } from '../context.ts';
import { explainProblem, problemOfMessage } from './start-problem.ts';

/**
 * The line that follows the words of a failed start: what is behind them and how to mend it, where that is known;
 * otherwise undefined. As `docker` nothing is added, since scripts know its words.
 */
export async function startHint(context: Context, ref: string, error: unknown): Promise<string | undefined> {
  const { program } = context;
  if (program === 'docker') return undefined;
  const container = await context.engine
    .json<ContainerInspectResponse>({ method: 'GET', path: `/containers/${encodeURIComponent(ref)}/json` })
    .catch(() => undefined);
  const problem = container?.Wharf?.StartFailure?.Problem ?? problemOfMessage(messageOf(error));
  const image = container?.Config.Image ?? 'IMAGE';
  const explained = explainProblem(problem, { program, image });
  const [fix] = explained?.fixes ?? [];
  if (!explained || fix === undefined) return undefined;
  return `${explained.text.charAt(0).toUpperCase()}${explained.text.slice(1)} To mend it: ${fix}`;
}
