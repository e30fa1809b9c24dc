/** `scheme://host:port/path`, taken apart without opinions; the parts are '' where absent. */
export interface Address {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

/** Parses an address as Go's url.Parse would; throws its words for a port that is none. */
export function parseAddress(text: string): Address {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*))?([^?#]*)/.exec(text);
  const [, scheme = '', authority = '', path = ''] = match ?? [];
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  const port = parts?.[2] ?? '';
  if (!/^\d*$/.test(port)) {
    throw new Error(`parse ${JSON.stringify(text)}: invalid port ":${port}" after host`);
  }
  const host = (parts?.[1] ?? '').replace(/^\[(.*)\]$/, '$1');
  return { scheme: scheme.toLowerCase(), host, port, path };
}

/** `host:port`, with brackets around IPv6. */
export const hostPort = (host: string, port: number | string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
