import { messageOf } from '#kernel';
import { ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { printLine } from '../context.ts';

/** How many requests run at once, as docker limits itself. */
const atOnce = 50;

/**
 * Does one thing for each argument, several at a time, and prints the arguments that it worked for, in order.
 * Throws once all have been tried, with one line for each failure.
 */
export async function forEach(
  context: Context,
  args: readonly string[],
  task: (arg: string) => Promise<string | undefined>,
): Promise<void> {
  const errors: string[] = [];
  for (let at = 0; at < args.length; at += atOnce) {
    const results = await Promise.allSettled(args.slice(at, at + atOnce).map((arg) => task(arg)));
    for (const result of results) {
      if (result.status === 'rejected') errors.push(messageOf(result.reason));
      else if (result.value !== undefined) printLine(context.out, result.value);
    }
  }
  if (errors.length > 0) throw new ExitStatus(1, errors.join('\n'));
}

export const containerPath = (name: string): string => `/containers/${encodeURIComponent(name)}`;
