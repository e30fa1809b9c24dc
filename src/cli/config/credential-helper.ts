import { messageOf } from '#kernel';

/** What a helper keeps for a registry; an identity token has the user name `<token>`. */
export interface HelperCredentials {
  readonly Username: string;
  readonly Secret: string;
}

/** Throws with the helper's words; undefined where it has nothing for the server. */
export function getFromHelper(helper: string, server: string): HelperCredentials | undefined {
  const { ok, output, reason } = runHelper(helper, 'get', server);
  if (!ok) {
    if (isAbsent(output)) return undefined;
    throw failure('getting', reason, output);
  }
  try {
    const { Username = '', Secret = '' } = JSON.parse(output) as Partial<HelperCredentials>;
    return { Username, Secret };
  } catch (error) {
    throw failure('getting', messageOf(error), output);
  }
}

export function storeWithHelper(helper: string, server: string, credentials: HelperCredentials): void {
  const input = JSON.stringify({ ServerURL: server, ...credentials });
  const { ok, output, reason } = runHelper(helper, 'store', input);
  if (!ok) throw failure('storing', reason, output);
}

/** What a helper cannot erase it has not, or keeps: the same to whoever signs out. */
export function eraseWithHelper(helper: string, server: string): void {
  runHelper(helper, 'erase', server);
}

const isAbsent = (output: string): boolean => output.trim() === 'credentials not found in native keychain';

const failure = (doing: string, reason: string, output: string): Error =>
  new Error(`error ${doing} credentials - err: ${reason}, out: \`${output.trim()}\``);

/** Speaks to `docker-credential-<helper>`: the request on its standard input, the answer on its output. */
function runHelper(
  helper: string,
  verb: 'get' | 'store' | 'erase',
  input: string,
): { readonly ok: boolean; readonly output: string; readonly reason: string } {
  // Loaded only where a helper is configured.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const program = `docker-credential-${helper}`;
  const { status, stdout, error } = spawnSync(program, [verb], { input, encoding: 'utf8' });
  if (!error || status !== null) {
    return { ok: status === 0, output: stdout, reason: `exit status ${status ?? -1}` };
  }
  const missing = 'code' in error && error.code === 'ENOENT';
  const reason = missing ? `exec: "${program}": executable file not found in $PATH` : messageOf(error);
  return { ok: false, output: '', reason };
}
