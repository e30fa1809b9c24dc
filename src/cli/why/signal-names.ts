import { constants } from 'node:os';

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .filter(([name]) => name !== 'SIGIOT' && name !== 'SIGPOLL')
    .map(([name, number]) => [number, name]),
);

/** 9 → `SIGKILL`; 40 → `signal 40`. */
export const signalName = (signal: number): string => names.get(signal) ?? `signal ${signal}`;

/** What a program that such a signal ended has usually done. */
const meanings: ReadonlyMap<number, string> = new Map([
  [4, 'it ran an instruction that this processor does not have'],
  [6, 'it gave up by itself (abort), mostly after a failed check; its output says why'],
  [7, 'it touched memory that could not be read (bus error)'],
  [8, 'it divided by zero or the like'],
  [11, 'it touched memory that is not its own (segmentation fault): a defect of the program'],
  [13, 'it wrote to a pipe that nobody reads any more'],
  [25, 'it wrote more to a file than its limit allows'],
  [31, 'it made a system call that its seccomp profile forbids'],
]);

export const signalMeaning = (signal: number): string | undefined => meanings.get(signal);
