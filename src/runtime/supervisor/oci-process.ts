/** What of a process (runtime-spec config.md) the supervisor needs to know; the rest is the OCI runtime's. */

export function argumentsOf(process: object): string[] {
  return 'args' in process && Array.isArray(process.args) ? process.args.map(String) : [];
}

export const oomScoreOf = (process: object): number =>
  'oomScoreAdj' in process ? Number(process.oomScoreAdj) : 0;

export function userOf(process: object): number {
  const user = 'user' in process ? (process.user as { uid?: number } | undefined) : undefined;
  return user?.uid ?? 0;
}
