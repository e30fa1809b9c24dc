import { BrokenPipe } from '../output.ts';
import type { Context } from '../context.ts';

/** Shows the warning and asks; only `y` or `Y` is a yes. */
export async function confirm(context: Context, warning: string): Promise<boolean> {
  context.out.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = await readAnswer(context);
  return answer.trim().toLowerCase() === 'y';
}

/** The next line of standard input. */
export async function readAnswer(context: Context): Promise<string> {
  let text = '';
  try {
    for await (const chunk of context.terminal.input()) {
      text += Buffer.from(chunk).toString();
      if (text.includes('\n')) break;
    }
  } catch (error) {
    if (!(error instanceof BrokenPipe)) throw error;
  }
  return text.split('\n')[0]?.replace(/\r$/, '') ?? '';
}
