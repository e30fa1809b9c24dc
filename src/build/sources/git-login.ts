import { invalidArgument } from '#kernel';
import type { GitOptions } from './git-program.ts';
import type { SourceAccess } from './source-access.ts';

/** How git proves who asks: settings and an agent's socket, which goes with it. */
export interface GitLogin extends AsyncDisposable {
  readonly options: Pick<GitOptions, 'settings' | 'sshAgent'>;
}

/** The client's secrets in the order in which they are looked for; a server's own comes first. */
const secretNames = (host: string): readonly string[] => [
  `GIT_AUTH_HEADER.${host}`,
  `GIT_AUTH_TOKEN.${host}`,
  'GIT_AUTH_HEADER',
  'GIT_AUTH_TOKEN',
];

/** What the client lends for a repository: a token or a header for HTTP, an agent for SSH. Throws invalidArgument. */
export async function gitLogin(remote: string, access: SourceAccess): Promise<GitLogin> {
  const url = URL.canParse(remote) ? new URL(remote) : undefined;
  const protocol = url?.protocol ?? 'ssh:';
  if (protocol === 'ssh:') {
    const agent = await access.sshAgent?.('default');
    if (!agent) throw invalidArgument('unset ssh forward key default');
    return { options: { sshAgent: agent.path }, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
  }
  const none = { options: {}, [Symbol.asyncDispose]: () => Promise.resolve() };
  if (!url || !protocol.startsWith('http')) return none;
  for (const name of secretNames(url.host)) {
    const secret = await access.secret(name);
    if (!secret) continue;
    const text = Buffer.from(secret).toString();
    const value = name.startsWith('GIT_AUTH_TOKEN')
      ? `basic ${Buffer.from(`x-access-token:${text}`).toString('base64')}`
      : text;
    // For this repository only: a submodule may be anywhere. On GitHub one token opens several.
    const scope = url.host === 'github.com' ? `${url.origin}/` : remote;
    return { ...none, options: { settings: { [`http.${scope}.extraheader`]: `Authorization: ${value}` } } };
  }
  return none;
}
