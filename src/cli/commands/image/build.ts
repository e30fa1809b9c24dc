import { rmSync, writeFileSync } from 'node:fs';
import { defineCommand, ExitStatus, exactly } from '../../command.ts';
import type { Context } from '../../context.ts';
import { messageOf } from '#kernel';
import type { Values } from '../../flags/index.ts';
import type { BuildOptions } from '../../build/build-options.ts';
import type { ProgressMode } from '../../build/progress/choose-display.ts';
import type { ContextCount } from '../../build/git-ignores.ts';
import type { Solved } from '../../build/solve.ts';
import { buildFlags } from './build-flags.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] PATH | URL | -',
  summary: 'Build an image from a Dockerfile',
  aliases: ['build', 'builder build', 'image build', 'buildx build', 'buildx b'],
  arguments: exactly(1),
  flags: buildFlags,
  async run(context, { flags, changed, args }) {
    // Loaded for builds alone: gRPC costs 20 ms.
    const { progressMode } = await import('../../build/progress/choose-display.ts');
    const { optionsOf } = await import('./build-options.ts');
    const [options, mode] = orFail('', () => {
      refuse(flags, changed);
      const word = changed.has('progress') ? flags.progress : (context.env['BUILDKIT_PROGRESS'] ?? 'auto');
      const chosen = progressMode(flags.quiet ? 'quiet' : word, context.terminal);
      if (flags.quiet && changed.has('progress') && !['auto', 'quiet'].includes(flags.progress)) {
        throw new Error(`progress=${flags.progress} and quiet cannot be used together`);
      }
      return [optionsOf(flags, args[0] ?? '', context.env), chosen] as const;
    });
    warn(context, changed);
    if (flags.iidfile !== '') rmSync(flags.iidfile, { force: true });
    const solved = await runBuild(context, options, mode, flags.debug);
    if (options.call) {
      const { callResult } = await import('../../build/call-result.ts');
      const { text, error = '', status } = callResult(solved.metadata, options.call);
      context.out.write(text);
      if (status !== 0) throw new ExitStatus(status, error === '' ? '' : `ERROR: ${error}`);
      return;
    }
    if (mode === 'quiet') context.out.write(`${imageId(solved)}\n`);
    if (flags.iidfile !== '') writeFileSync(flags.iidfile, imageId(solved));
    if (flags['metadata-file'] !== '') {
      const { metadataText } = await import('../../build/metadata.ts');
      writeFileSync(flags['metadata-file'], metadataText(solved));
    }
  },
});

async function runBuild(
  context: Context,
  options: BuildOptions,
  mode: ProgressMode,
  isDebugging: boolean,
): Promise<Solved> {
  const { build } = await import('../../build/build.ts');
  const { chooseDisplay } = await import('../../build/progress/choose-display.ts');
  const { failureText, keptImage } = await import('../../build/build-failure.ts');
  const { explanationText } = await import('../../build/explanation.ts');
  const { gitIgnoreOffer } = await import('../../build/git-ignore-offer.ts');
  const { warningSummary } = await import('../../build/progress/warning-summary.ts');
  const display = chooseDisplay(mode, context);
  const { engine, config, env, out, terminal, program } = context;
  const place = { engine, config, env, out, stdoutIsTerminal: terminal.stdoutIsTerminal };
  const stop = new AbortController();
  using _interrupted = onInterrupt((code) => stop.abort(new Interrupted(code)));
  const counts: ContextCount[] = [];
  const warnings: Parameters<typeof warningSummary>[0][number][] = [];
  try {
    const solved = await build(
      options,
      {
        ...place,
        input: () => terminal.input(),
        counted: (count) => void counts.push(count),
        warned: (text) => context.err.write(`WARNING: ${text}\n`),
      },
      {
        signal: stop.signal,
        onStatus: (status) => {
          warnings.push(...status.warnings);
          display.update(status);
        },
      },
    );
    display.end();
    const isSilent = mode === 'quiet' || mode === 'rawjson' || mode === 'none';
    if (!isSilent) context.err.write(warningSummary(warnings, { program, isDetailed: isDebugging }));
    if (!isSilent) for (const count of counts) context.err.write(gitIgnoreOffer(count));
    if (options.explains === true) {
      context.err.write(
        explanationText(solved) ?? '\nThis engine does not say why steps are done: that needs wharfd.\n',
      );
    }
    return solved;
  } catch (error) {
    display.end();
    const code = error instanceof Interrupted ? error.code : 1;
    const text = failureText(error, 'failed to build: ');
    const kept = keptImage(error);
    if (kept === undefined) throw new ExitStatus(code, text, { cause: error });
    const { openShell } = await import('./debug-shell.ts');
    context.err.write(`${text}\n`);
    await openShell(context, kept);
    throw new ExitStatus(code, '', { cause: error });
  }
}

function refuse({ builder, squash }: Values<typeof buildFlags>, changed: ReadonlySet<string>): void {
  if (changed.has('builder') && builder !== 'default' && builder !== '') {
    throw new Error(`no builder ${JSON.stringify(builder)} found`);
  }
  if (squash) {
    throw new Error(
      '--squash is not supported with BuildKit: copy the result into a last stage, as in FROM scratch, COPY --from=0 / /',
    );
  }
}

const notes: Readonly<Record<string, string>> = {
  isolation: 'isolation flag is deprecated with BuildKit.',
  'security-opt': 'security-opt flag is deprecated. "RUN --security=insecure" should be used with BuildKit.',
};

function warn(context: Context, changed: ReadonlySet<string>): void {
  for (const [name, note] of Object.entries(notes)) {
    if (changed.has(name)) context.err.write(`WARNING: ${note}\n`);
  }
}

/** Ends the program with an error as buildx shows it. */
function orFail<T>(before: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    throw new ExitStatus(1, `ERROR: ${before}${messageOf(error)}`, { cause: error });
  }
}

/** A signal has ended the build; the program's status says which. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code: number;

  constructor(code: number) {
    super('failed to solve: Canceled: context canceled');
    this.code = code;
  }
}

function onInterrupt(task: (code: number) => void): Disposable {
  const [interrupted, terminated] = [(): void => task(130), (): void => task(143)];
  process.on('SIGINT', interrupted).on('SIGTERM', terminated);
  return {
    [Symbol.dispose]: () => void process.off('SIGINT', interrupted).off('SIGTERM', terminated),
  };
}

/** The id of the configuration, or the manifest's digest where there is none. */
const imageId = ({ response }: Solved): string =>
  response['containerimage.config.digest'] ?? response['containerimage.digest'] ?? '';
