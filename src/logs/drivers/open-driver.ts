import type { LogInfo, LogOptions } from '../log-info.ts';
import { parseDuration } from '../option-values.ts';
import type { DriverEvents, LogDriver } from './driver.ts';
import { fluentdIsAsync, openFluentd } from './fluentd.ts';
import { openGelf } from './gelf.ts';
import { openJournald } from './journald.ts';
import { openSyslog } from './syslog.ts';

/** What a remote driver needs to be opened, now or again. */
export interface DriverChoice {
  readonly driver: string;
  readonly options: LogOptions;
  readonly info: LogInfo;
}

/** Connects a remote driver. Throws EngineError in Docker's words when the target cannot be had. */
export async function openDriver(
  { driver, options, info }: DriverChoice,
  events: DriverEvents,
  journalSocket: string,
): Promise<LogDriver> {
  switch (driver) {
    case 'fluentd':
      return openFluentd(info, options);
    case 'gelf':
      return openGelf(info, options, events);
    case 'journald':
      return openJournald(info, options, events, journalSocket);
    case 'syslog':
      return openSyslog(info, options, events);
    default:
      throw new Error(`${driver} is no remote log driver`);
  }
}

/** How a driver's options say to go on when its target fails. */
export interface Patience {
  /** Milliseconds before the first retry; each further pause is twice as long. */
  readonly pauseMs: number;
  /** Retries after which records are left out; Infinity: as long as the local log keeps them. */
  readonly retries: number;
}

const defaultPauseMs = 100;

export function patienceOf({ driver, options }: DriverChoice): Patience {
  const [pauses, retries, milliseconds] =
    driver === 'fluentd'
      ? [['fluentd-async-reconnect-interval', 'fluentd-retry-wait'], 'fluentd-max-retries', parseDuration]
      : [['gelf-tcp-reconnect-delay'], 'gelf-tcp-max-reconnect', (text: string) => Number(text) * 1000];
  const pause = pauses.map((name) => options[name]).find((text) => text !== undefined && text !== '');
  return {
    pauseMs: (pause === undefined ? 0 : milliseconds(pause)) || defaultPauseMs,
    retries: options[retries] ? Number(options[retries]) : Infinity,
  };
}

/** Whether a container may start although the target is not there. */
export const mayConnectLater = ({ driver, options }: DriverChoice): boolean =>
  driver === 'fluentd' && fluentdIsAsync(options);
