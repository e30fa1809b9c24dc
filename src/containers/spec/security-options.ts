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

/** Throws invalidArgument for an option that is unknown or malformed. Labels of SELinux are refused by name: no kernel here has it. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: string | undefined;
  let apparmor: string | undefined;
  let unconfinedPaths = false;
  let writableCgroups = false;
  for (const option of options) {
    const match = /^([^=:]+)(?:[=:]([\s\S]*))?$/.exec(option);
    const name = match?.[1] ?? '';
    const value = match?.[2];
    if (name === 'no-new-privileges') noNewPrivileges = parseFlag(option, value ?? 'true');
    else if (name === 'writable-cgroups') writableCgroups = parseFlag(option, value ?? 'true');
    else if (value === undefined) throw invalidArgument(`invalid --security-opt 2: "${option}"`);
    else if (name === 'seccomp') seccomp = value === 'builtin' ? undefined : value;
    else if (name === 'apparmor') apparmor = value;
    else if (name === 'systempaths') {
      if (value !== 'unconfined') throw invalidArgument(`invalid --security-opt 2: "${option}"`);
      unconfinedPaths = true;
    } else if (name === 'label') {
      if (value !== 'disable') {
        throw invalidArgument(`invalid --security-opt "${option}": SELinux is not enabled on this host`);
      }
    } else throw invalidArgument(`invalid --security-opt 2: "${option}"`);
  }
  return { noNewPrivileges, seccomp, apparmor, unconfinedPaths, writableCgroups };
}

function parseFlag(option: string, value: string): boolean {
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw invalidArgument(`invalid --security-opt 2: "${option}"`);
}
