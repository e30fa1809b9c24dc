import { formatEndpoint } from '#client';
import type { Endpoint } from '#client';
import type { ConfigFile } from './config-file.ts';

const variables: Readonly<Record<string, string>> = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
};

/** The proxy variables that config.json gives to the containers of an engine, in both cases of spelling. */
export function proxyVariables(config: ConfigFile, endpoint: Endpoint): readonly string[] {
  const { proxies } = config.data;
  const chosen = proxies?.[formatEndpoint(endpoint)] ?? proxies?.['default'] ?? {};
  return Object.entries(chosen).flatMap(([key, value]) => {
    const name = variables[key];
    return name === undefined || value === '' ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`];
  });
}
