import { invalidArgument } from '#kernel';

/** PEM texts and rules for mutual TLS. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whether the engine's certificate must be valid for its name. */
  readonly verify: boolean;
}

/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: TlsOptions };

export const defaultHost = 'unix:///run/wharf/wharf.sock';

/** Reads `unix:///path`, `tcp://host:port` or `http(s)://host:port`. Throws Docker's texts for anything else. */
export function parseHost(text: string, tls?: TlsOptions): Endpoint {
  const host = text.trim();
  const [, scheme = '', rest = ''] = /^(\w+):\/\/(.*)$/.exec(host) ?? [];
  if (scheme === 'unix') return { kind: 'unix', path: rest === '' ? '/var/run/docker.sock' : rest };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    return parseAddress(rest, tls ?? (scheme === 'https' ? { verify: true } : undefined));
  }
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

/** The endpoint as Docker's messages name it. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.path}`;
  return `tcp://${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}
