import type { Readable } from 'node:stream';
import type { Descriptor, Digest } from '#oci';

/** What `X-Registry-Auth` carries; empty: anonymous. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  /** In place of all these: somebody else who has them. */
  readonly keeper?: CredentialsKeeper;
}

/** Somebody who keeps the credentials for a registry, and gets tokens with them. */
export interface CredentialsKeeper {
  /** Tells tokens of one from those of others. */
  readonly id: string;
  /** Seconds of its life are 0 where they are not known. Throws where the registry gives none. */
  fetchToken(
    request: { readonly realm: string; readonly service: string; readonly scopes: readonly string[] },
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly token: string; readonly seconds: number }>;
  /** For a registry that knows no tokens; undefined where there are none. */
  reveal(options: { readonly signal: AbortSignal }): Promise<RegistryAuth | undefined>;
}

/** A manifest or index as the registry sent it: the bytes are what the digest is of. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** One repository of one registry, with its endpoints (mirrors first), credentials and TLS settled. */
export interface Repository {
  /** Canonical name, `docker.io/library/busybox`. */
  readonly name: string;
  /** Throws notFound `manifest for x not found: manifest unknown: manifest unknown` and kin, in Docker's words. */
  fetchManifest(reference: string, options: { signal: AbortSignal }): Promise<FetchedManifest>;
  /** What a tag or digest stands for now, without its content (HEAD). Throws as fetchManifest() does. */
  resolve(reference: string, options: { signal: AbortSignal }): Promise<{ readonly digest: Digest }>;
  /**
   * From `offset` bytes on where the server can (else it throws away what it gets twice). Digest is NOT checked here:
   * `direct` asks no mirror, after one has sent other bytes.
   */
  fetchBlob(
    descriptor: Descriptor,
    options: { signal: AbortSignal; offset?: number; direct?: boolean },
  ): Promise<Readable>;
  hasBlob(digest: Digest, options: { signal: AbortSignal }): Promise<boolean>;
  /** bytes; undefined: the repository has no such blob. */
  blobSize(digest: Digest, options: { signal: AbortSignal }): Promise<number | undefined>;
  /** Cross-repository mount; false when the registry wants an upload. */
  mountBlob(digest: Digest, from: string, options: { signal: AbortSignal }): Promise<boolean>;
  /** In one piece where the registry takes that; a broken upload goes on where it stopped. `open`: from an offset on. */
  pushBlob(
    descriptor: Descriptor,
    open: (offset: number) => Promise<Readable>,
    options: { signal: AbortSignal },
  ): Promise<void>;
  pushManifest(
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
    options: { signal: AbortSignal },
  ): Promise<Digest>;
  listTags(options: { signal: AbortSignal }): Promise<readonly string[]>;
  /** Descriptors as the registry lists them; undefined: it has no such list (distribution-spec, "Listing Referrers"). */
  listReferrers(
    subject: Digest,
    options: { signal: AbortSignal },
  ): Promise<readonly Readonly<Record<string, unknown>>[] | undefined>;
}

export interface RegistryClientOptions {
  /** Tried first (`registry-mirrors`): `https://mirror` for docker.io, `ghcr.io=https://mirror` for another registry. */
  readonly mirrors: readonly string[];
  /** Folders with certificates by registry (`/etc/docker/certs.d`), read at each operation. */
  readonly certificateFolders?: readonly string[];
  /** Hosts or CIDRs where plain HTTP and unverified TLS are allowed; 127.0.0.0/8 and ::1 always are. */
  readonly insecureRegistries: readonly string[];
  readonly userAgent: string;
  readonly proxies?: RegistryProxies;
}

/** URLs of proxies; `no`: hosts reached without one, separated by commas. Undefined: as the environment says. */
export interface RegistryProxies {
  readonly http: string | undefined;
  readonly https: string | undefined;
  readonly no: string | undefined;
}

/** What an index knows of a repository. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

export interface RegistryClient extends AsyncDisposable {
  /** Throws invalidArgument for a registry that has no index to search. */
  search(
    domain: string,
    term: string,
    options: { readonly limit: number; readonly auth: RegistryAuth; readonly signal: AbortSignal },
  ): Promise<readonly SearchResult[]>;
  repository(name: string, auth: RegistryAuth, scope: 'pull' | 'push,pull'): Repository;
  /** `docker login`: resolves to an identity token or ''. Throws unauthenticated. */
  login(server: string, auth: RegistryAuth, options: { signal: AbortSignal }): Promise<string>;
}
