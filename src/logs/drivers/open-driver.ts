import type { LogInfo, LogOptions } from '../log-info.ts';
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

/** Whether a container may start although the target is not there. */
export const mayConnectLater = ({ driver, options }: DriverChoice): boolean =>
  driver === 'fluentd' && fluentdIsAsync(options);
