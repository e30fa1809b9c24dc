/** A check that the engine runs in the container; durations in nanoseconds, 0: inherit. */
export interface HealthConfig {
  /** `[]`: inherit, `["NONE"]`: off, `["CMD", …]`, `["CMD-SHELL", script]`. */
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly Retries?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
}

export type HealthStatus = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface Health {
  readonly Status: HealthStatus;
  readonly FailingStreak: number;
  /** The last results, oldest first. */
  readonly Log: readonly HealthcheckResult[] | null;
}

export interface HealthcheckResult {
  /** RFC 3339 with nanoseconds */
  readonly Start: string;
  readonly End: string;
  /** 0 healthy, 1 unhealthy, 2 reserved, others: the probe itself failed */
  readonly ExitCode: number;
  readonly Output: string;
}
