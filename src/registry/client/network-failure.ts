import { errnoOf, messageOf } from '#kernel';
import { RegistryFailure } from './registry-failure.ts';

const untrusted = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';

/** Go's words for what Node reports, since Docker's users know and match them. */
const connecting: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  UND_ERR_CONNECT_TIMEOUT: 'i/o timeout',
};
const transferring: Readonly<Record<string, string>> = {
  ECONNRESET: 'read: connection reset by peer',
  EPIPE: 'write: broken pipe',
  UND_ERR_SOCKET: 'unexpected EOF',
  UND_ERR_HEADERS_TIMEOUT: 'net/http: timeout awaiting response headers',
  UND_ERR_BODY_TIMEOUT: 'the registry stopped sending',
};
const securing: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  ERR_SSL_WRONG_VERSION_NUMBER: 'http: server gave HTTP response to HTTPS client',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'http: server gave HTTP response to HTTPS client',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'remote error: tls: certificate required',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'remote error: tls: unknown certificate authority',
  EPROTO: 'http: server gave HTTP response to HTTPS client',
};

/** Node tries each address of a name: what happened to the first one speaks for all. */
const first = (error: unknown): unknown =>
  error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;

function addressOf(error: unknown, url: URL): string {
  const fallback = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
  if (typeof error !== 'object' || error === null || !('address' in error) || !('port' in error))
    return fallback;
  const { address, port } = error;
  if (typeof address !== 'string' || typeof port !== 'number') return fallback;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function phrase(error: unknown, url: URL): { text: string; isRetryable: boolean } {
  const code = errnoOf(error) ?? '';
  if (code === 'ENOTFOUND')
    return { text: `dial tcp: lookup ${url.hostname}: no such host`, isRetryable: false };
  if (code === 'EAI_AGAIN') {
    return {
      text: `dial tcp: lookup ${url.hostname}: temporary failure in name resolution`,
      isRetryable: true,
    };
  }
  const dial = connecting[code];
  if (dial !== undefined) {
    const isRetryable = code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT';
    return { text: `dial tcp ${addressOf(error, url)}: ${dial}`, isRetryable };
  }
  const secure = securing[code];
  if (secure !== undefined) return { text: secure + remedy(secure, code, url), isRetryable: false };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return { text: `tls: failed to verify certificate: x509: ${messageOf(error)}`, isRetryable: false };
  }
  return { text: transferring[code] ?? messageOf(error), isRetryable: true };
}

/** What to do about it. */
function remedy(text: string, code: string, { host }: URL): string {
  if (text === untrusted) return ` (put the authority's certificate into /etc/docker/certs.d/${host}/ca.crt)`;
  if (!code.startsWith('ERR_SSL_TLS')) return '';
  return ` (put yours into /etc/docker/certs.d/${host}/client.cert, and its key into client.key)`;
}

/** What kept a request from being answered: `Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`. */
export function networkFailure(method: string, url: URL, error: unknown): RegistryFailure {
  const { text, isRetryable } = phrase(first(error), url);
  return new RegistryFailure('internal', `${requestName(method, url)}: ${text}`, {
    isRetryable,
    cause: error,
  });
}

/** `Get "https://host/v2/"`, without any user or password that a mirror's address may hold. */
export function requestName(method: string, url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return `${method.charAt(0)}${method.slice(1).toLowerCase()} ${JSON.stringify(shown.href)}`;
}
