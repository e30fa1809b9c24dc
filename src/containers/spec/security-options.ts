import type { HostConfig } from '#api/types';
import { internal } from '#kernel';

/** `--security-opt`, parsed. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** undefined: the default profile; `unconfined`; otherwise the JSON text of a profile. */
  readonly seccomp: string | undefined;
  readonly apparmor: string | undefined;
  /** `systempaths=unconfined`: nothing masked, nothing read-only. */
  readonly unconfinedPaths: boolean;
  /** undefined: as privileged as the container. */
  readonly writableCgroups: boolean | undefined;
}

type Parsed = { -readonly [K in keyof SecurityOptions]: SecurityOptions[K] };
type Reader = (parsed: Parsed, value: string, option: string) => void;

const malformed = (option: string): Error => internal(`invalid --security-opt 2: "${option}"`);

function parseFlag(value: string, option: string): boolean {
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw malformed(option);
}

/** What each option does; those with a `true` may stand without a value. */
const readers: Readonly<Record<string, { readonly bare: boolean; readonly read: Reader }>> = {
  'no-new-privileges': {
    bare: true,
    read: (parsed, value, option) => {
      parsed.noNewPrivileges = parseFlag(value, option);
    },
  },
  'writable-cgroups': {
    bare: true,
    read: (parsed, value, option) => {
      parsed.writableCgroups = parseFlag(value, option);
    },
  },
  seccomp: {
    bare: false,
    read: (parsed, value) => {
      parsed.seccomp = value === 'builtin' ? undefined : value;
    },
  },
  apparmor: {
    bare: false,
    read: (parsed, value) => {
      parsed.apparmor = value;
    },
  },
  systempaths: {
    bare: false,
    read: (parsed, value, option) => {
      if (value !== 'unconfined') throw malformed(option);
      parsed.unconfinedPaths = true;
    },
  },
  label: {
    bare: false,
    // Labels are SELinux's, which no host of ours has: like Docker there, none is set. See securityWarnings().
    read: () => undefined,
  },
};

/** Throws, as Docker does, internal for an option that is unknown or malformed. */
export function parseSecurityOptions(
  options: readonly string[],
  defaults: Pick<SecurityOptions, 'noNewPrivileges'> = { noNewPrivileges: false },
): SecurityOptions {
  const parsed: Parsed = {
    noNewPrivileges: defaults.noNewPrivileges,
    seccomp: undefined,
    apparmor: undefined,
    unconfinedPaths: false,
    writableCgroups: undefined,
  };
  for (const option of options) {
    const match = /^([^=:]+)(?:[=:]([\s\S]*))?$/.exec(option);
    const reader = readers[match?.[1] ?? ''];
    const value = match?.[2] ?? (reader?.bare ? 'true' : undefined);
    if (value === undefined) throw internal(`invalid --security-opt 1: "${option}"`);
    if (!reader) throw malformed(option);
    reader.read(parsed, value, option);
  }
  return parsed;
}

/** What is asked for and this host cannot do. Docker keeps silent about it. */
export function securityWarnings(options: readonly string[], apparmor: boolean): readonly string[] {
  const asked = (name: string, none: string): boolean =>
    options.some((option) => new RegExp(`^${name}[=:]`).test(option) && !option.endsWith(none));
  return [
    ...(asked('label', 'disable') ? ['SELinux is not supported by this engine: labels are discarded.'] : []),
    ...(!apparmor && asked('apparmor', 'unconfined')
      ? ['AppArmor is not enabled on this host: the profile is discarded.']
      : []),
  ];
}

/** The AppArmor profile of a container's processes; undefined: none is set, as always where the host has no AppArmor. */
export function apparmorOf(
  host: HostConfig,
  facts: { readonly apparmor: boolean; readonly apparmorProfile: string | undefined },
): string | undefined {
  if (!facts.apparmor) return undefined;
  const asked = parseSecurityOptions(host.SecurityOpt ?? []).apparmor;
  return asked ?? (host.Privileged ? undefined : facts.apparmorProfile);
}
