const meanings: ReadonlyMap<number, string> = new Map([
  [1, 'the code of a general failure'],
  [2, 'the code that shells and many programs have for wrong arguments'],
  [64, 'by convention: it was called with wrong arguments'],
  [65, 'by convention: its input was not as it should be'],
  [66, 'by convention: an input file is missing'],
  [67, 'by convention: a user is unknown'],
  [68, 'by convention: a host is unknown'],
  [69, 'by convention: a service that it needs is not there'],
  [70, 'by convention: an error inside the program'],
  [71, 'by convention: an error of the operating system'],
  [73, 'by convention: an output file could not be made'],
  [74, 'by convention: reading or writing failed'],
  [75, 'by convention: a failure that may be gone the next time'],
  [77, 'by convention: it was not permitted to'],
  [78, 'by convention: its configuration is wrong'],
  [124, 'the code of timeout(1) for a command that took too long'],
  [125, 'the code of a command (docker, env, timeout) that failed before it ran another'],
  [126, 'the code of a shell for a command that is there but cannot be run'],
  [127, 'the code of a shell for a command that is not there'],
  [128, 'the code of git and of shells for a fatal error'],
  [255, 'the code of a general failure in programs such as ssh'],
]);

/** What programs mean by an exit code, if that is known. */
export const exitCodeMeaning = (code: number): string | undefined => meanings.get(code);

/** The signal that an exit code stands for: 128 + n. */
export const signalOfExitCode = (code: number): number | undefined =>
  code > 128 && code <= 128 + 64 ? code - 128 : undefined;
