import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { EngineError, invalidArgument } from '#kernel';
import { bind, check, close } from './libc.ts';
import { prependEnosys } from './seccomp-enosys.ts';

/** `linux.seccomp` of the OCI runtime specification. */
export interface OciSeccomp {
  readonly defaultAction: SeccompAction;
  /** errno of a defaultAction that answers one; default EPERM. */
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_X86_64` …; the native one is always in. */
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly OciSeccompRule[];
}

export interface OciSeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  /** All must hold; but several about one argument stand for themselves: any of them. */
  readonly args?: readonly OciSeccompArgument[];
}

export interface OciSeccompArgument {
  /** 0 to 5 */
  readonly index: number;
  readonly value: number;
  /** With SCMP_CMP_MASKED_EQ `value` is the mask and this what has to remain; default 0. */
  readonly valueTwo?: number;
  readonly op: SeccompOperator;
}

const actions = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};
/** Position is the number in libseccomp's enum scmp_compare, less one. */
const operators = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;

export type SeccompAction = keyof typeof actions;
export type SeccompOperator = (typeof operators)[number];
export const isSeccompAction = (name: string): name is SeccompAction => Object.hasOwn(actions, name);
export const isSeccompOperator = (name: string): name is SeccompOperator =>
  (operators as readonly string[]).includes(name);

type Context = object;
interface Comparison {
  readonly arg: number;
  readonly op: number;
  readonly datum_a: bigint;
  readonly datum_b: bigint;
}
interface Library {
  readonly init: (action: number) => Context | null;
  readonly release: (context: Context) => void;
  readonly archNative: () => number;
  readonly archByName: (name: string) => number;
  readonly archAdd: (context: Context, arch: number) => number;
  readonly callByName: (name: string) => number;
  readonly callByNameOn: (arch: number, name: string) => number;
  readonly addRule: (c: Context, action: number, call: number, count: number, args: Comparison[]) => number;
  readonly exportBpf: (context: Context, fd: number) => number;
}

let library: Library | undefined;

/** Loaded on first use, so that a client on a machine without libseccomp never gets here. */
function load(): Library {
  if (library) return library;
  try {
    const seccomp = koffi.load('libseccomp.so.2');
    koffi.struct('scmp_arg_cmp', { arg: 'uint', op: 'int', datum_a: 'uint64_t', datum_b: 'uint64_t' });
    // The prototypes are those of seccomp.h; koffi's loose functions get their shapes here.
    const func = <F>(prototype: string): F => seccomp.func(prototype) as unknown as F;
    library = {
      init: func('void *seccomp_init(uint32_t def_action)'),
      release: func('void seccomp_release(void *ctx)'),
      archNative: func('uint32_t seccomp_arch_native(void)'),
      archByName: func('uint32_t seccomp_arch_resolve_name(const char *arch_name)'),
      archAdd: func('int seccomp_arch_add(void *ctx, uint32_t arch_token)'),
      callByName: func('int seccomp_syscall_resolve_name(const char *name)'),
      callByNameOn: func('int seccomp_syscall_resolve_name_arch(uint32_t arch_token, const char *name)'),
      addRule: func(
        'int seccomp_rule_add_array(void *ctx, uint32_t action, int syscall, uint arg_cnt, scmp_arg_cmp *args)',
      ),
      exportBpf: func('int seccomp_export_bpf(void *ctx, int fd)'),
    };
    return library;
  } catch (error) {
    throw new EngineError('unavailable', 'libseccomp.so.2 is missing: install the package libseccomp2', {
      cause: error,
    });
  }
}

const memfdCreate = bind<(name: string, flags: number) => number>(
  'int memfd_create(const char *name, unsigned int flags)',
);
const MFD_CLOEXEC = 1;
const EPERM = 1;
const EEXIST = 17;

const actionCode = (name: SeccompAction, errno: number | undefined): number =>
  name === 'SCMP_ACT_ERRNO' || name === 'SCMP_ACT_TRACE' ? actions[name] + (errno ?? EPERM) : actions[name];

/** Architecture tokens of the filter, the native one first. Throws invalidArgument for an unknown name. */
function architecturesOf(lib: Library, profile: OciSeccomp): readonly number[] {
  const named = (profile.architectures ?? []).map((name) => {
    const token = lib.archByName(name.replace(/^SCMP_ARCH_/, '').toLowerCase());
    if (token === 0) throw invalidArgument(`unknown seccomp architecture: ${name}`);
    return token;
  });
  return [...new Set([lib.archNative(), ...named])];
}

/** One call of libseccomp's rule_add for each list that is answered. */
function comparisonsOf(rule: OciSeccompRule): readonly (readonly Comparison[])[] {
  const all = (rule.args ?? []).map(({ index, op, value, valueTwo = 0 }) => ({
    arg: index,
    op: operators.indexOf(op) + 1,
    datum_a: BigInt(value),
    datum_b: BigInt(valueTwo),
  }));
  const repeated = new Set(all.map(({ arg }) => arg)).size < all.length;
  return repeated ? all.map((one) => [one]) : [all];
}

function addRules(lib: Library, context: Context, profile: OciSeccomp): void {
  const otherwise = actionCode(profile.defaultAction, profile.defaultErrnoRet);
  for (const rule of profile.syscalls ?? []) {
    const action = actionCode(rule.action, rule.errnoRet);
    if (action === otherwise) continue; // libseccomp refuses what changes nothing
    const lists = comparisonsOf(rule);
    for (const name of rule.names) {
      const call = lib.callByName(name);
      if (call === -1) continue; // unknown to this library: what the ENOSYS prefix is for
      for (const list of lists) {
        const result = lib.addRule(context, action, call, list.length, [...list]);
        if (result < 0) throw invalidArgument(`seccomp rule for ${name} is refused: error ${-result}`);
      }
    }
  }
}

/** The highest number of a system call that the profile names, by architecture. */
function highestCalls(
  lib: Library,
  profile: OciSeccomp,
  architectures: readonly number[],
): Map<number, number> {
  const names = [...new Set((profile.syscalls ?? []).flatMap((rule) => rule.names))];
  return new Map(
    architectures.map((token) => [
      token,
      Math.max(-1, ...names.map((name) => lib.callByNameOn(token, name))),
    ]),
  );
}

/**
 * Compiles a profile to the kernel's filter program (an array of struct sock_filter), as crun and runc would. Calls
 * newer than every call the profile names answer ENOSYS rather than the default errno, so that a C library that tries
 * a new call falls back to the old one. Takes about 10 ms for Docker's profile: do it once for each.
 *
 * @throws EngineError unavailable without libseccomp, invalidArgument for a profile that it refuses; unimplemented for
 * SCMP_ACT_NOTIFY, whose listener only the runtime can open.
 */
export function compileSeccomp(profile: OciSeccomp): Uint8Array {
  const rules = profile.syscalls ?? [];
  if (
    profile.defaultAction === 'SCMP_ACT_NOTIFY' ||
    rules.some(({ action }) => action === 'SCMP_ACT_NOTIFY')
  ) {
    throw new EngineError(
      'unimplemented',
      'a seccomp profile with SCMP_ACT_NOTIFY cannot be compiled beforehand',
    );
  }
  const lib = load();
  const context = lib.init(actionCode(profile.defaultAction, profile.defaultErrnoRet));
  if (!context) throw invalidArgument(`seccomp default action is refused: ${profile.defaultAction}`);
  try {
    const architectures = architecturesOf(lib, profile);
    for (const token of architectures) {
      const result = lib.archAdd(context, token);
      if (result < 0 && result !== -EEXIST) throw invalidArgument(`seccomp architecture ${token} is refused`);
    }
    addRules(lib, context, profile);
    const permissive = profile.defaultAction === 'SCMP_ACT_ALLOW' || profile.defaultAction === 'SCMP_ACT_LOG';
    const program = exported(lib, context);
    return permissive ? program : prependEnosys(program, highestCalls(lib, profile, architectures));
  } finally {
    lib.release(context);
  }
}

function exported(lib: Library, context: Context): Uint8Array {
  const fd = check(memfdCreate('seccomp', MFD_CLOEXEC), 'memfd_create');
  try {
    const result = lib.exportBpf(context, fd);
    if (result < 0) throw new EngineError('internal', `seccomp_export_bpf failed: error ${-result}`);
    return readFileSync(`/proc/self/fd/${fd}`);
  } finally {
    close(fd);
  }
}
