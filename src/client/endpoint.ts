import { invalidArgument } from '#kernel';

/** PEM texts and rules for mutual TLS. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whether the engine's certificate must be valid for its name. */
  readonly verify: boolean;
}

/** Where an engine listens, on this machine or a network. */
export type SocketEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: TlsOptions };

/** Where an engine is reached. */
export type Endpoint = SocketEndpoint | SshEndpoint;

/** An engine on another machine, reached by running `system dial-stdio` there through ssh. */
export interface SshEndpoint {
  readonly kind: 'ssh';
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** The engine's socket over there; without it, what the command line there takes by itself. */
  readonly path?: string;
}

export const defaultHost = 'unix:///run/wharf/wharf.sock';

/** Reads `unix:///path`, `tcp://host:port`, `http(s)://host:port` or `ssh://user@host:port/path`. Throws Docker's texts for anything else. */
export function parseHost(text: string, tls?: TlsOptions): Endpoint {
  const host = text.trim();
  const [, scheme = '', rest = ''] = /^(\w+):\/\/(.*)$/.exec(host) ?? [];
  if (scheme === 'unix') return { kind: 'unix', path: rest === '' ? '/var/run/docker.sock' : rest };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    return parseAddress(rest, tls ?? (scheme === 'https' ? { verify: true } : undefined));
  }
  if (scheme === 'ssh') return parseSsh(host, rest);
  if (scheme === '' && host !== '') return parseAddress(host, tls);
  throw invalidArgument(`invalid bind address format: ${host}`);
}

function parseAddress(text: string, tls: TlsOptions | undefined): Endpoint {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:/]*)(?::(\d+))?(?:\/.*)?$/.exec(text) ?? [];
  return {
    kind: 'tcp',
    host: name.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: port === '' ? (tls ? 2376 : 2375) : Number(port),
    ...(tls && { tls }),
  };
}

function parseSsh(text: string, rest: string): Endpoint {
  const match = /^(?:([^@/:]+)@)?(\[[^\]]+\]|[^:/@]+)(?::(\d+))?(\/.*)?$/.exec(rest);
  // A name that begins with a dash would be an option of ssh.
  if (!match || /^-/.test(match[1] ?? '') || /^-/.test(match[2] ?? '')) {
    throw invalidArgument(`invalid host ${text}: expected ssh://[user@]host[:port][/path of the socket]`);
  }
  const [, user, name = '', port, path] = match;
  return {
    kind: 'ssh',
    host: name.replace(/^\[|\]$/g, ''),
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
    ...(path !== undefined && path !== '/' && { path }),
  };
}

/** The endpoint as Docker's messages name it. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.path}`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  if (endpoint.kind === 'tcp') return `tcp://${host}:${endpoint.port}`;
  const { user, port, path = '' } = endpoint;
  return `ssh://${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}${path}`;
}
