import type { WharfFacts } from '#api/types';

/** Why a container is as it is, in plain words. */
export interface Explanation {
  readonly Container: string;
  readonly Id: string;
  readonly Status: string;
  readonly ExitCode: number | null;
  /** One sentence. */
  readonly Summary: string;
  readonly Details: readonly string[];
  /** The last lines of its log; empty when they say nothing about it. */
  readonly Log: readonly string[];
  /** What to try, the likeliest first. */
  readonly Try: readonly string[];
  readonly Facts: WharfFacts | null;
}

/** What an explanation is made of. */
export interface Circumstances {
  /** `wharf` or `docker`: how commands are spelled in what to try. */
  readonly program: string;
  /** The last lines of the container's log. */
  readonly log: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The parts of an explanation that differ from state to state. */
export interface Account {
  /** Continues the container's name. */
  readonly summary: string;
  readonly details?: readonly string[];
  readonly fixes?: readonly string[];
  /** The log has to do with it. */
  readonly showsLog?: boolean;
}

export function renderExplanation(explanation: Explanation): string {
  const { Summary, Details, Log, Try } = explanation;
  const block = (title: string, lines: readonly string[], mark: string): string[] =>
    lines.length > 0 ? ['', title, ...lines.map((line) => `  ${mark}${line}`)] : [];
  return [
    Summary,
    ...Details.map((line) => `  ${line}`),
    ...block('Last lines of its log:', Log, ''),
    ...block('What to try:', Try, '- '),
  ].join('\n');
}
