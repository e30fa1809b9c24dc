import type { AuthConfig, AuthResponse } from '#api/types';
import { ResponseError } from '#client';
import { messageOf } from '#kernel';
import { atMost, defineCommand } from '../../command.ts';
import { findAuth, hubServer, storeAuth } from '../../config/credentials.ts';
import type { Context } from '../../context.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { readAnswer } from '../confirm.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [SERVER]',
  summary: 'Sign in to a registry',
  description: 'Sign in to a registry.\nWithout a server Docker Hub is meant.',
  arguments: atMost(1),
  flags: {
    password: string('Password or access token', { short: 'p' }),
    'password-stdin': bool('Read the password or access token from standard input'),
    username: string('User name', { short: 'u' }),
  },
  async run(context, { flags, changed, args: [server] }) {
    check(flags, changed);
    if (flags.password !== '') {
      context.err.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    }
    const key = serverOf(server);
    const given = flags['password-stdin'] ? await readSecret(context) : flags.password;
    const stored = given === '' && flags.username === '' ? findAuth(context.config, key) : undefined;
    if (stored?.username && stored.password && (await loginAgain(context, key, stored))) return;
    await login(context, key, await ask(context, flags.username, given));
  },
});

interface Credentials {
  readonly username: string;
  readonly password: string;
}

async function login(context: Context, key: string, { username, password }: Credentials): Promise<void> {
  const answer = await context.engine.json<AuthResponse>({
    method: 'POST',
    path: '/auth',
    json: { username, password, serveraddress: key },
  });
  store(context, key, { username, password, token: answer.IdentityToken ?? '' });
  printLine(context.out, `\n${answer.Status}`.trimStart());
}

/** With what is stored; false where the registry does not take it any more. */
async function loginAgain(
  context: Context,
  key: string,
  { username = '', password = '' }: AuthConfig,
): Promise<boolean> {
  context.err.write(
    `Authenticating with existing credentials... [Username: ${username}]\n\n` +
      " Info -> To login with a different account, run 'docker logout' followed by 'docker login'\n\n\n",
  );
  try {
    await login(context, key, { username, password });
    return true;
  } catch (error) {
    if (!(error instanceof ResponseError) || error.status !== 401) throw error;
    context.err.write(`Login did not succeed, error: ${messageOf(error)}\n`);
    return false;
  }
}

function check(
  flags: { readonly username: string; readonly password: string; readonly 'password-stdin': boolean },
  changed: ReadonlySet<string>,
): void {
  if (flags['password-stdin'] && flags.password !== '') {
    throw new Error('conflicting options: cannot specify both --password and --password-stdin');
  }
  if (flags['password-stdin'] && flags.username === '') {
    throw new Error('the --password-stdin option requires --username to be set');
  }
  if (changed.has('username') && flags.username === '') throw new Error('username is empty');
  if (changed.has('password') && flags.password === '') throw new Error('password is empty');
}

/** Docker Hub by its key, others without scheme and path. */
export function serverOf(server: string | undefined): string {
  if (server === undefined || server === '' || server === 'docker.io' || server === hubServer)
    return hubServer;
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

async function readSecret(context: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of context.terminal.input()) chunks.push(chunk);
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '');
}

async function ask(
  context: Context,
  username: string,
  password: string,
): Promise<{ username: string; password: string }> {
  if (username !== '' && password !== '') return { username, password };
  if (!context.terminal.stdinIsTerminal)
    throw new Error('Error: Cannot perform an interactive login from a non TTY device');
  let name = username;
  if (name === '') {
    context.out.write('Username: ');
    name = (await readAnswer(context)).trim();
    if (name === '') throw new Error('Error: Non-null Username Required');
  }
  let secret = password;
  if (secret === '') {
    context.out.write('Password: ');
    secret = await readHidden(context);
    context.out.write('\n');
    if (secret === '') throw new Error('Error: Password Required');
  }
  return { username: name, password: secret };
}

/** Reads a line without echo. */
async function readHidden(context: Context): Promise<string> {
  using _raw = await context.terminal.raw();
  let text = '';
  for await (const chunk of context.terminal.input()) {
    for (const char of Buffer.from(chunk).toString()) {
      if (char === '\r' || char === '\n') return text;
      if (char === '\u0003') throw new Error('login canceled');
      text = char === '\u007f' || char === '\b' ? text.slice(0, -1) : text + char;
    }
  }
  return text;
}

function store(context: Context, key: string, credentials: Credentials & { readonly token: string }): void {
  let isPlain: boolean;
  try {
    ({ isPlain } = storeAuth(context.config, key, credentials));
  } catch (error) {
    throw new Error(`Error saving credentials: ${messageOf(error)}`, { cause: error });
  }
  if (!isPlain) return;
  context.err.write(
    `\nWARNING! Your credentials are stored unencrypted in '${context.config.path}'.\n` +
      'Configure a credential helper to remove this warning. See\n' +
      'https://docs.docker.com/go/credential-store/\n\n',
  );
}
