import type { ContainerInspectResponse } from '#api/types';
import type { Account } from './explanation.ts';

const shownLines = 5;

/** What a running container's health adds; undefined when it has no check, or is well. */
export function explainHealth(
  container: ContainerInspectResponse,
  name: string,
  program: string,
): Account | undefined {
  const { Health: health } = container.State;
  const test = container.Config.Healthcheck?.Test ?? [];
  if (!health || health.Status === 'none') return undefined;
  const command = test.slice(1).join(' ');
  if (health.Status === 'healthy') {
    return { summary: 'runs and is healthy.', details: [`Its check: ${command}`] };
  }
  const last = health.Log?.at(-1);
  const details = [`Its check: ${command}`, ...(last ? resultText(last.ExitCode, last.Output) : [])];
  if (health.Status === 'starting') {
    const waits = last ? 'no check has succeeded yet.' : 'no check has run yet.';
    return { summary: `runs; its health is not known yet: ${waits}`, details };
  }
  const streak = health.FailingStreak;
  return {
    summary: `runs but is unhealthy: its last ${streak === 1 ? 'check' : `${streak} checks`} failed.`,
    details,
    fixes: [
      `run the check by hand: ${program} exec ${name} ${command}`,
      `restart it: ${program} restart ${name}`,
      ...(program === 'docker' ? [] : ['have it restarted by itself: run it with --restart-unhealthy']),
    ],
    showsLog: true,
  };
}

function resultText(code: number, output: string): string[] {
  const lines = output.trimEnd().split('\n').slice(-shownLines);
  const head =
    code === -1
      ? 'The last one did not end in time or could not be run:'
      : `The last one ended with ${code}:`;
  return output.trim() === ''
    ? [`${head.slice(0, -1)} and printed nothing.`]
    : [head, ...lines.map((line) => `  ${line}`)];
}
