import { pino } from 'pino';
import type { Logger } from '#kernel';

/** A logger whose level may change. */
export interface DaemonLogger extends Logger {
  level: string;
}

/** The daemon's logger, on stderr: one line a record, for people or as JSON. */
export function createLogger(level: string, format: 'text' | 'json'): DaemonLogger {
  if (format === 'json')
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  return pino({ level, base: null }, { write: (line: string) => process.stderr.write(`${asText(line)}\n`) });
}

const levels: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** `2026-11-21T10:00:00.000Z info  phrase key=value …` */
function asText(line: string): string {
  // Written by pino a moment ago.
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const name = (levels[Number(level)] ?? '').padEnd(5);
  return `${new Date(Number(time)).toISOString()} ${name} ${String(msg)}${rest.join('')}`;
}
