import { writeFileSync } from 'node:fs';
import { printAnswers, type ResolvedTarget, type ResolvedTargets } from '#bake';
import type { VertexWarning } from '#buildkit';
import type { Context } from '../context.ts';
import { ExitStatus } from '../command.ts';
import { failureText } from '../build/build-failure.ts';
import type { BuildCall } from '../build/build-options.ts';
import { callResult } from '../build/call-result.ts';
import { parseCall } from '../build/options/call.ts';
import { metadataText } from '../build/metadata.ts';
import { chooseDisplay, progressMode, type ProgressMode } from '../build/progress/choose-display.ts';
import { warningSummary } from '../build/progress/warning-summary.ts';
import type { Solved } from '../build/solve.ts';
import { checkEntitlements } from './entitlements.ts';
import { runBake, type BakeJob } from './run-bake.ts';
import { targetOptions } from './target-options.ts';

/** What is built of each target. Throws buildx's texts for what cannot be built. */
export const bakeJobs = (
  targets: ReadonlyMap<string, ResolvedTarget>,
  env: Context['env'],
): ReadonlyMap<string, BakeJob> =>
  new Map(
    [...targets]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, target]) => [name, { target, options: targetOptions(target, env) }] as const),
  );

export interface BakePlan extends ResolvedTargets {
  readonly jobs: ReadonlyMap<string, BakeJob>;
}

export interface BakeFlags {
  readonly allow: readonly string[];
  readonly call: string;
  readonly check: boolean;
  readonly debug: boolean;
  readonly progress: string;
  readonly 'metadata-file': string;
}

/** Builds what was planned, and shows how that goes on. Throws ExitStatus. */
export async function bakeTargets(
  context: Context,
  plan: BakePlan,
  flags: BakeFlags,
  changed: ReadonlySet<string>,
): Promise<void> {
  checkEntitlements(plan, flags.allow, context);
  const word = changed.has('progress') ? flags.progress : (context.env['BUILDKIT_PROGRESS'] ?? 'auto');
  const solved = await showRun(context, plan.jobs, progressMode(word, context.terminal), flags.debug);
  if (flags['metadata-file'] !== '') writeFileSync(flags['metadata-file'], metadataOf(solved));
  showAnswers(context, plan, solved, parseCall(flags.check ? 'check' : flags.call));
}

/** What `--call` asked of the Dockerfiles, target by target. Throws ExitStatus where an answer is bad news. */
function showAnswers(
  { out }: Context,
  { jobs, targets, groups }: BakePlan,
  solved: ReadonlyMap<string, Solved>,
  asked: BuildCall | undefined,
): void {
  const answers = [...jobs].flatMap(
    ([
      name,
      {
        target,
        options: { call },
      },
    ]) => {
      const metadata = solved.get(name)?.metadata;
      if (!call || !metadata) return [];
      return [{ name, target, call, result: callResult(metadata, { ...call, ...asked }) }];
    },
  );
  if (answers.length === 0) return;
  if (asked?.format === 'json') {
    const byName = new Map(
      answers.map(({ name, call, result }) => [
        name,
        { [call.name === 'lint' ? 'check' : call.name]: JSON.parse(result.text) as unknown },
      ]),
    );
    out.write(`${printAnswers(targets, groups, byName)}\n`);
  } else {
    const texts = answers.map(({ name, target, result }) => {
      const description = target.description ? `${target.description}\n` : '';
      return `${name}\n${description}\n${result.text}`;
    });
    out.write(texts.join('\n'));
  }
  const bad = answers.find(({ result }) => result.status !== 0)?.result;
  if (bad) throw new ExitStatus(bad.status, bad.error ? `ERROR: ${bad.error}` : '');
}

async function showRun(
  context: Context,
  jobs: BakePlan['jobs'],
  mode: ProgressMode,
  isDetailed: boolean,
): Promise<ReadonlyMap<string, Solved>> {
  const { engine, config, env, out, terminal, program } = context;
  const display = chooseDisplay(mode, context);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error('context canceled'));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const warnings: VertexWarning[] = [];
  const place = {
    ...{ engine, config, env, out, stdoutIsTerminal: terminal.stdoutIsTerminal },
    input: () => terminal.input(),
  };
  try {
    const solved = await runBake(jobs, place, {
      signal: stop.signal,
      onStatus(status) {
        warnings.push(...status.warnings);
        display.update(status);
      },
    });
    display.end();
    if (mode === 'plain' || mode === 'tty')
      context.err.write(warningSummary(warnings, { program, isDetailed }));
    return solved;
  } catch (error) {
    display.end();
    throw new ExitStatus(1, failureText(error, 'failed to build: '), { cause: error });
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** By target, as buildx writes it. */
function metadataOf(solved: ReadonlyMap<string, Solved>): string {
  const byTarget = [...solved].map(
    ([name, each]) => [name, JSON.parse(metadataText(each)) as unknown] as const,
  );
  return JSON.stringify(Object.fromEntries(byTarget), undefined, 2);
}
