import type { StatusResponse } from '#buildkit';

/** Shows how builds go on. */
export interface Display {
  update(status: StatusResponse): void;
  /** Shows what has been held back; nothing comes any more. */
  end(): void;
}

/** Shows nothing. */
export const noDisplay: Display = { update: () => undefined, end: () => undefined };
