import { readFileSync } from 'node:fs';

export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Counters by interface from proc(5) /proc/net/dev. */
export function parseInterfaceCounters(text: string): ReadonlyMap<string, InterfaceCounters> {
  const interfaces = new Map<string, InterfaceCounters>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\S+):\s*(.*)$/.exec(line);
    if (!match?.[1]) continue;
    const fields = (match[2] ?? '').split(/\s+/).map(Number);
    const at = (index: number): number => fields[index] ?? 0;
    interfaces.set(match[1], {
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    });
  }
  return interfaces;
}

/** Those of the network namespace that a process is in. Throws when it has ended. */
export const readInterfaceCounters = (pid: number): ReadonlyMap<string, InterfaceCounters> =>
  parseInterfaceCounters(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
