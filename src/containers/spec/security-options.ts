import { invalidArgument } from '#kernel';

/** `--security-opt`, parsed. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** undefined: the default profile; `unconfined`; otherwise the JSON text of a profile. */
  readonly seccomp: string | undefined;
  readonly apparmor: string | undefined;
  /** `systempaths=unconfined`: nothing masked, nothing read-only. */
  readonly unconfinedPaths: boolean;
  readonly writableCgroups: boolean;
}

type Parsed = { -readonly [K in keyof SecurityOptions]: SecurityOptions[K] };
type Reader = (parsed: Parsed, value: string, option: string) => void;

const malformed = (option: string): Error => invalidArgument(`invalid --security-opt 2: "${option}"`);

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
    read: (_parsed, value, option) => {
      if (value !== 'disable') {
        throw invalidArgument(`invalid --security-opt "${option}": SELinux is not enabled on this host`);
      }
    },
  },
};

/** Throws invalidArgument for an option that is unknown or malformed; labels of SELinux are refused by name. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const parsed: Parsed = {
    noNewPrivileges: false,
    seccomp: undefined,
    apparmor: undefined,
    unconfinedPaths: false,
    writableCgroups: false,
  };
  for (const option of options) {
    const match = /^([^=:]+)(?:[=:]([\s\S]*))?$/.exec(option);
    const reader = readers[match?.[1] ?? ''];
    const value = match?.[2] ?? (reader?.bare ? 'true' : undefined);
    if (!reader || value === undefined) throw malformed(option);
    reader.read(parsed, value, option);
  }
  return parsed;
}
