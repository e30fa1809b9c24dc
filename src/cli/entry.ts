import type { Command } from './command.ts';

/** A word of the command line that names a command or a group of commands. */
export interface Entry {
  readonly summary: string;
  /** Loads the command; only the chosen one is ever loaded. */
  readonly load?: () => Promise<{ readonly command: Command }>;
  readonly entries?: Readonly<Record<string, Entry>>;
  /** Another word for the same entry: resolved, but not listed. */
  readonly aliasOf?: string;
  readonly hidden?: boolean;
}

/** Another word for an entry. */
export const also = (entry: Entry, aliasOf: string): Entry => ({ ...entry, aliasOf, hidden: true });
