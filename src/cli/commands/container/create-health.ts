import type { HealthConfig } from '#api/types';
import type { CreateValues } from './create-flags.ts';

const spans = ['interval', 'timeout', 'start-period', 'start-interval'] as const;

/** The health check that the options ask for; undefined when they do not mention one. */
export function makeHealthcheck(flags: CreateValues, changed: ReadonlySet<string>): HealthConfig | undefined {
  const given = [...changed].some((name) => name.startsWith('health-'));
  if (flags['no-healthcheck']) {
    if (given) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  for (const span of spans) {
    if (flags[`health-${span}`] < 0n) throw new Error(`--health-${span} cannot be negative`);
  }
  if (flags['health-retries'] < 0) throw new Error('--health-retries cannot be negative');
  const command = flags['health-cmd'];
  const set =
    command !== '' || flags['health-retries'] !== 0 || spans.some((span) => flags[`health-${span}`] !== 0n);
  if (!set) return undefined;
  return {
    Test: command === '' ? null : ['CMD-SHELL', command],
    Interval: Number(flags['health-interval']),
    Timeout: Number(flags['health-timeout']),
    StartPeriod: Number(flags['health-start-period']),
    StartInterval: Number(flags['health-start-interval']),
    Retries: flags['health-retries'],
  };
}
