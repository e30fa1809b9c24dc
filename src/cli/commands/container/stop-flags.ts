import { int, string } from '../../flags/index.ts';

/** The options that `stop` and `restart` share. */
export const stopFlags = {
  signal: string('Signal that asks the program to end', { short: 's' }),
  timeout: int('Seconds to wait before it is killed; -1 to wait without end', { short: 't' }),
  time: int('Seconds to wait before it is killed', { hidden: true, deprecated: 'use --timeout instead' }),
};

/** The seconds that were asked for; undefined leaves them to the container. */
export const timeoutOf = (
  flags: { readonly timeout: number; readonly time: number },
  changed: ReadonlySet<string>,
): number | undefined =>
  changed.has('timeout') ? flags.timeout : changed.has('time') ? flags.time : undefined;
