import { readFileSync } from 'node:fs';

/** The host's processors, as proc(5) /proc/stat shows them. */
export interface SystemCpu {
  /** Nanoseconds that all processors together have spent since boot, idle ones included. */
  readonly usage: number;
  readonly cpus: number;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const tickNanos = 10_000_000;
/** user, nice, system, idle, iowait, irq, softirq: guest time is in user, and Docker leaves stolen time out. */
const counted = 7;

export function parseSystemCpu(text: string): SystemCpu {
  const [, ...ticks] = /^cpu .*$/m.exec(text)?.[0].split(/\s+/) ?? [];
  const sum = ticks.slice(0, counted).reduce((total, field) => total + Number(field), 0);
  return { usage: sum * tickNanos, cpus: text.match(/^cpu\d+ /gm)?.length ?? 0 };
}

/** Reads it now; for large hosts that is the dearest part of a sample, so samples of one moment share it. */
export const readSystemCpu = (): SystemCpu => parseSystemCpu(readFileSync('/proc/stat', 'utf8'));
