import { ExitStatus } from '../../command.ts';
import { printLine, type Context } from '../../context.ts';
import { parseFlags } from '../../flags/index.ts';
import { imagePath } from './path.ts';

/**
 * A shell in what a failed command has left, in a container that goes with the shell; then the image goes, too. What it
 * ends with does not matter: the build has failed already.
 */
export async function openShell(context: Context, image: string): Promise<void> {
  const { command } = await import('../container/run.ts');
  const hasTerminal = context.terminal.stdinIsTerminal;
  printLine(
    context.err,
    'A shell in the file system of the failed step (its mounts are not there); exit ends it.',
  );
  try {
    const words = ['--rm', '--interactive', ...(hasTerminal ? ['--tty'] : []), image, '/bin/sh'];
    const { values, changed, args } = parseFlags(command.flags, words, { interspersed: false });
    await command.run(context, { flags: values, changed, args });
  } catch (error) {
    if (!(error instanceof ExitStatus)) throw error;
    if (error.message !== '') printLine(context.err, error.message);
  } finally {
    await context.engine.done({ method: 'DELETE', path: imagePath(image), query: { force: true } });
  }
}
