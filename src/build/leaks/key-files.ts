import { posix } from 'node:path';

/** What a file holds that should not be in an image. */
export interface Leak {
  /** Absolute, in the image. */
  readonly path: string;
  /** `a private key` */
  readonly what: string;
}

interface Rule {
  readonly names: RegExp;
  readonly what: string;
  /** What its beginning holds; undefined where the name says enough. */
  readonly holds?: RegExp;
}

const privateKey = 'a private key';
const pemKey = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/;

/** A value that is one, not a reference to a variable or a place for one. */
const value = String.raw`["']?(?!["']?[ \t]*$|\$\{?\w|<|x{3,}|changeme|your)\S`;

const rules: readonly Rule[] = [
  {
    names: /(?:^|\/)(?:id|ssh_host)_(?:rsa|dsa|ecdsa|ed25519)(?:_sk|_key)?$/,
    what: privateKey,
    holds: pemKey,
  },
  {
    names: /\.(?:pem|key|p8|ppk|asc)$/,
    what: privateKey,
    holds: /-----BEGIN .*PRIVATE KEY|PuTTY-User-Key-File/,
  },
  { names: /\.(?:p12|pfx)$/, what: 'a certificate with its private key' },
  {
    names: /(?:^|\/)\.env(?:\.(?!example$|sample$|template$|dist$)[\w.-]+)?$/,
    what: 'secrets of an environment',
    holds: new RegExp(
      String.raw`^\s*(?:export\s+)?\w*(?:secret|token|passw(?:or)?d|api_?key|private_?key|credential)\w*[ \t]*=[ \t]*${value}`,
      'im',
    ),
  },
  {
    names: /(?:^|\/)\.npmrc$/,
    what: 'a token of npm',
    holds: new RegExp(String.raw`(?:^|:)_(?:authToken|auth|password)[ \t]*=[ \t]*${value}`, 'm'),
  },
  {
    names: /(?:^|\/)\.yarnrc\.yml$/,
    what: 'a token of npm',
    holds: new RegExp(`npmAuth(?:Token|Ident):[ \\t]*${value}`),
  },
  { names: /(?:^|\/)[._]netrc$/, what: 'a password', holds: /\bpassword\s+\S/ },
  { names: /(?:^|\/)\.pypirc$/, what: 'a password', holds: /^\s*password\s*[=:]\s*\S/m },
  { names: /(?:^|\/)\.git-credentials$/, what: 'a password', holds: /:\/\/[^\s:/]+:[^\s@]+@/ },
  { names: /(?:^|\/)\.pgpass$/, what: 'a password', holds: /^[^#\s]+:[^:\s]+$/m },
  {
    names: /(?:^|\/)\.aws\/credentials$/,
    what: 'credentials of AWS',
    holds: /aws_secret_access_key\s*=\s*\S/,
  },
  {
    names: /(?:^|\/)(?:\.docker\/config\.json|\.dockercfg)$/,
    what: 'credentials of a registry',
    holds: /"(?:auth|identitytoken)"\s*:\s*"[^"]+"/,
  },
  {
    names: /(?:^|\/)\.kube\/config$/,
    what: 'credentials of a cluster',
    holds: /^\s*(?:client-key-data|token|password):\s*\S/m,
  },
  {
    names: /(?:^|\/)[^/]*(?:credentials|service[-_]?account|adminsdk)[^/]*\.json$/i,
    what: privateKey,
    holds: /"private_key"\s*:\s*"-----BEGIN/,
  },
];

/** Bytes of a file's beginning that are looked at. */
export const lookedAt = 16 * 1024;

/** Whether a path is worth a look into the file. */
export const isSuspicious = (path: string): boolean => rules.some(({ names }) => names.test(path));

/** What a file holds that should be in no image, by its path and its beginning; undefined for nothing. */
export function leakOf(path: string, beginning: string): Leak | undefined {
  const rule = rules.find(({ names, holds }) => names.test(path) && (!holds || holds.test(beginning)));
  return rule && { path: posix.join('/', path), what: rule.what };
}
