import { invalidArgument } from '#kernel';
import { mountFlags } from '#linux';

/** What a volume's driver options ask to have mounted on its folder. */
export interface DriverMount {
  readonly source: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string;
}

const flagNames: Readonly<Record<string, number>> = {
  bind: mountFlags.bind,
  rbind: mountFlags.bind | mountFlags.recursive,
  ro: mountFlags.readonly,
  nosuid: mountFlags.nosuid,
  nodev: mountFlags.nodev,
  noexec: mountFlags.noexec,
  noatime: mountFlags.noatime,
};
const defaults = new Set(['rw', 'suid', 'dev', 'exec', 'atime', 'defaults']);

/**
 * The `type`, `device` and `o` options of the driver `local`; undefined without options. Throws invalidArgument
 * in Docker's words for an unknown or missing one.
 */
export function parseDriverOptions(
  volume: string,
  options: Readonly<Record<string, string>>,
): DriverMount | undefined {
  const names = Object.keys(options);
  if (names.length === 0) return undefined;
  const unknown = names.find((name) => !['type', 'device', 'o', 'size'].includes(name));
  if (unknown !== undefined) throw invalidArgument(`create ${volume}: invalid option: "${unknown}"`);
  for (const required of ['device', 'type']) {
    if (options[required] === undefined && names.some((name) => name !== 'size')) {
      throw invalidArgument(`create ${volume}: missing required option: "${required}"`);
    }
  }
  let flags = 0;
  const data: string[] = [];
  for (const option of (options['o'] ?? '').split(',')) {
    if (option === '' || defaults.has(option)) continue;
    const flag = flagNames[option];
    if (flag === undefined) data.push(option);
    else flags |= flag;
  }
  return { source: options['device'] ?? '', type: options['type'] ?? '', flags, data: data.join(',') };
}
