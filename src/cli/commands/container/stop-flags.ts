import { int, string } from '../../flags/index.ts';

/** The options that `stop` and `restart` share. */
export const stopFlags = {
  signal: string('Signal that asks the program to end', { short: 's' }),
  timeout: int('Seconds to wait before it is killed; -1 to wait without end', { short: 't', also: ['time'] }),
};
