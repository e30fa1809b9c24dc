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

export const unknownHealth: HealthRecord = { status: 'starting', failingStreak: 0, log: [] };

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
