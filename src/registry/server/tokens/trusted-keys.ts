import { createPublicKey, X509Certificate, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { invalidArgument } from '#kernel';

/** What a token's header says of the key it is signed with (RFC 7515, section 4.1). */
export interface KeyHint {
  readonly kid?: string | undefined;
  readonly x5c?: readonly string[] | undefined;
}

type Jwk = JsonWebKeyInput['key'] & { readonly kid?: string };

interface NamedKey {
  readonly kid: string | undefined;
  readonly key: KeyObject;
}

interface Trusted {
  readonly keys: readonly NamedKey[];
  readonly certificates: readonly X509Certificate[];
}

/** A key set (RFC 7517), or PEM texts: public keys, and certificates whose issue is trusted too. Throws invalidArgument. */
function parseTrusted(text: string): Trusted {
  if (text.trimStart().startsWith('{')) {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    if (!Array.isArray(keys)) throw invalidArgument('expected a key set: {"keys": […]}');
    // createPublicKey() refuses what is no key.
    return { keys: (keys as Jwk[]).map(fromJwk), certificates: [] };
  }
  const pems = text.match(/-----BEGIN (CERTIFICATE|PUBLIC KEY)-----[^-]+-----END \1-----/g) ?? [];
  const certificates = pems
    .filter((pem) => pem.includes('CERTIFICATE'))
    .map((pem) => new X509Certificate(pem));
  const bare = pems.filter((pem) => !pem.includes('CERTIFICATE')).map((pem) => createPublicKey(pem));
  const keys = [...certificates.map(({ publicKey }) => publicKey), ...bare];
  return { keys: keys.map((key) => ({ kid: undefined, key })), certificates };
}

const fromJwk = (jwk: Jwk): NamedKey => ({
  kid: jwk.kid,
  key: createPublicKey({ key: jwk, format: 'jwk' }),
});

/** The keys of a file, which is read again when it has changed: keys are exchanged while tokens are in use. */
export class TrustedKeys {
  readonly #path: string;
  #readAt = '';
  #trusted: Trusted = { keys: [], certificates: [] };

  /** Throws invalidArgument for a file without keys. */
  constructor(path: string) {
    this.#path = path;
    this.#refresh();
  }

  /** Public keys that a token may be signed with, the one it names first. */
  find({ kid, x5c }: KeyHint, now: Date): readonly KeyObject[] {
    try {
      this.#refresh();
    } catch {
      // Half-written, or gone for a moment: those from before are as good as they were.
    }
    if (x5c && x5c.length > 0) {
      const leaf = this.#verifyChain(x5c, now);
      return leaf ? [leaf.publicKey] : [];
    }
    const { keys } = this.#trusted;
    const named = keys.filter((each) => kid !== undefined && each.kid === kid);
    return (named.length > 0 ? named : keys).map(({ key }) => key);
  }

  #refresh(): void {
    const { mtimeMs, ino, size } = statSync(this.#path);
    const version = `${mtimeMs} ${ino} ${size}`;
    if (version === this.#readAt) return;
    const trusted = parseTrusted(readFileSync(this.#path, 'utf8'));
    if (trusted.keys.length === 0) throw invalidArgument(`${this.#path}: there is no key in it`);
    this.#trusted = trusted;
    this.#readAt = version;
  }

  /** The first certificate of a chain, if the last is trusted, or was issued by one that is. */
  #verifyChain(x5c: readonly string[], now: Date): X509Certificate | undefined {
    const chain = x5c.slice(0, longestChain).map((each) => new X509Certificate(Buffer.from(each, 'base64')));
    const isValid = (each: X509Certificate): boolean => each.validFromDate <= now && now <= each.validToDate;
    const isIssued = (each: X509Certificate, by: X509Certificate): boolean =>
      by.ca && each.checkIssued(by) && each.verify(by.publicKey);
    const last = chain.at(-1);
    const isTrusted = this.#trusted.certificates.some(
      (root) =>
        isValid(root) &&
        last !== undefined &&
        (root.fingerprint256 === last.fingerprint256 || isIssued(last, root)),
    );
    const isChain = chain.every((each, index) => {
      const next = chain[index + 1];
      return isValid(each) && (next === undefined || isIssued(each, next));
    });
    return isTrusted && isChain ? chain[0] : undefined;
  }
}

const longestChain = 8;
