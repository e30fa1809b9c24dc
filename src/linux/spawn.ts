import koffi from 'koffi';
import { bind, SystemError } from './libc.ts';
import { withOomScore } from './process.ts';

const ATTR_BYTES = 336;
const ACTIONS_BYTES = 80;
const SIGSET_BYTES = 128;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;

type Opaque = Uint8Array;
const spawn = bind<
  (
    pid: Int32Array,
    path: string,
    actions: Opaque,
    attributes: Opaque,
    args: readonly (string | null)[],
    env: readonly (string | null)[],
  ) => number
>(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
);
const attrInit = bind<(a: Opaque) => number>('int posix_spawnattr_init(void *)');
const attrFlags = bind<(a: Opaque, flags: number) => number>('int posix_spawnattr_setflags(void *, short)');
const attrDefault = bind<(a: Opaque, set: Opaque) => number>(
  'int posix_spawnattr_setsigdefault(void *, void *)',
);
const attrMask = bind<(a: Opaque, set: Opaque) => number>('int posix_spawnattr_setsigmask(void *, void *)');
const actionsInit = bind<(a: Opaque) => number>('int posix_spawn_file_actions_init(void *)');
const actionsDestroy = bind<(a: Opaque) => number>('int posix_spawn_file_actions_destroy(void *)');
const addDup2 = bind<(a: Opaque, from: number, to: number) => number>(
  'int posix_spawn_file_actions_adddup2(void *, int, int)',
);
const addChdir = bind<(a: Opaque, path: string) => number>(
  'int posix_spawn_file_actions_addchdir_np(void *, const char *)',
);
const sigemptyset = bind<(set: Opaque) => number>('int sigemptyset(void *)');

let attributes: Opaque | undefined;

/** Every signal at its default (Node ignores SIGPIPE, which a child would inherit) and none blocked. */
function cleanSignals(): Opaque {
  if (attributes) return attributes;
  const made = new Uint8Array(ATTR_BYTES);
  // Not sigfillset(3): that spares glibc's own two signals, which the child would then ignore for ever.
  const set = new Uint8Array(SIGSET_BYTES).fill(0xff);
  ok(attrInit(made), 'posix_spawnattr_init');
  ok(attrDefault(made, set), 'posix_spawnattr_setsigdefault');
  sigemptyset(set);
  ok(attrMask(made, set), 'posix_spawnattr_setsigmask');
  ok(attrFlags(made, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK), 'posix_spawnattr_setflags');
  attributes = made;
  return made;
}

/** posix_spawn and its kin return the errno instead of setting it. */
function ok(code: number, call: string, detail?: string): void {
  if (code !== 0) throw new SystemError(call, code, detail);
}

export interface SpawnOptions {
  /** Program file; `/proc/self/fd/<n>` names a descriptor of the caller. */
  readonly path: string;
  /** argv, the program's name included. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** The child's descriptors 0, 1, 2 … in this order. Everything else must be close-on-exec. */
  readonly stdio: readonly number[];
  readonly cwd?: string;
  /** oom_score_adj of the child, from its first instruction on, where the host lets this process have that score. */
  readonly oomScore?: number | undefined;
}

/**
 * posix_spawn(3): starts a program without copying this process's page tables (0.3 ms at any size). Returns the pid;
 * the caller reaps it. Throws SystemError when the program cannot be executed.
 */
export function spawnProcess(options: SpawnOptions): number {
  const actions = new Uint8Array(ACTIONS_BYTES);
  ok(actionsInit(actions), 'posix_spawn_file_actions_init');
  try {
    for (const [index, fd] of options.stdio.entries()) {
      ok(addDup2(actions, fd, index), 'posix_spawn_file_actions_adddup2');
    }
    if (options.cwd !== undefined) ok(addChdir(actions, options.cwd), 'posix_spawn_file_actions_addchdir_np');
    const pid = new Int32Array(1);
    const { path, args, env } = options;
    const start = (): number => spawn(pid, path, actions, cleanSignals(), [...args, null], [...env, null]);
    ok(withOomScore(options.oomScore, start), 'posix_spawn', path);
    return pid[0] ?? -1;
  } finally {
    actionsDestroy(actions);
  }
}

const execveCall = bind<
  (path: string, args: readonly (string | null)[], env: readonly (string | null)[]) => number
>('int execve(const char *path, const char **argv, const char **envp)');

/** execve(2): replaces this program, same pid and children. Returns only by throwing. */
export function execve(path: string, args: readonly string[], env: readonly string[]): never {
  execveCall(path, [...args, null], [...env, null]);
  throw new SystemError('execve', koffi.errno(), path);
}
