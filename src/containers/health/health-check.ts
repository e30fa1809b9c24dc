import type { ContainerConfig, HealthcheckResult } from '#api/types';
import type { HealthRecord } from '../container-record.ts';

/** A container's check with its defaults filled in; durations in milliseconds. */
export interface HealthCheck {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
  /** Failures do not count this long after the start. */
  readonly startPeriod: number;
  /** Between checks during the start period. */
  readonly startInterval: number;
}

const results = 5;
const milliseconds = (nanoseconds: number | undefined, fallback: number): number =>
  nanoseconds ? nanoseconds / 1e6 : fallback;

/** The check that a container's config asks for; undefined for none and for `NONE`. */
export function healthCheckOf(config: ContainerConfig): HealthCheck | undefined {
  const { Healthcheck: health, Shell: shell } = config;
  const [kind, ...words] = health?.Test ?? [];
  if (!health || kind === undefined || kind === 'NONE') return undefined;
  const command = kind === 'CMD-SHELL' ? [...(shell ?? ['/bin/sh', '-c']), ...words] : words;
  if (command.length === 0) return undefined;
  return {
    command,
    interval: milliseconds(health.Interval, 30_000),
    timeout: milliseconds(health.Timeout, 30_000),
    retries: health.Retries ? health.Retries : 3,
    startPeriod: milliseconds(health.StartPeriod, 0),
    startInterval: milliseconds(health.StartInterval, 5_000),
  };
}

/** The health at the start of a run; results of earlier runs stay in the log. */
export const startingHealth = (before: HealthRecord | undefined): HealthRecord => ({
  status: 'starting',
  failingStreak: 0,
  log: before?.log ?? [],
});

/** Milliseconds as Go writes a duration: `250ms`, `1.5s`, `1m30s`. */
export function goDuration(span: number): string {
  if (span < 1000) return `${span}ms`;
  const seconds = (span % 60_000) / 1000;
  const minutes = Math.floor(span / 60_000) % 60;
  const hours = Math.floor(span / 3_600_000);
  return `${hours > 0 ? `${hours}h` : ''}${span >= 60_000 ? `${minutes}m` : ''}${seconds}s`;
}

/** The health after one more result. `starting`: the start period is not over yet. Pure. */
export function afterResult(
  health: HealthRecord,
  result: HealthcheckResult,
  check: HealthCheck,
  starting: boolean,
): HealthRecord {
  const log = [...health.log, result].slice(-results);
  if (result.ExitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  if (health.status === 'starting' && starting) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= check.retries ? 'unhealthy' : health.status, failingStreak, log };
}
