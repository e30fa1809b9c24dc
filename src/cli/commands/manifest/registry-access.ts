import { digestOf, findImageId, type Digest, type Reference } from '#oci';
import { findAuth } from '../../config/credentials.ts';
import type { ConfigFile } from '../../config/config-file.ts';

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** A document as the registry has it. */
export interface RemoteDocument {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

type Send = Pick<RequestInit, 'method' | 'headers' | 'body'>;

/** Bun's fetch() has this; Node's takes no notice of it. */
interface UnverifiedInit extends RequestInit {
  tls?: { rejectUnauthorized: boolean };
}

/**
 * One repository, asked by the command line itself: `docker manifest` works without an engine. An `insecure`
 * registry may do without TLS or have a certificate that nobody vouches for.
 */
export class RegistryAccess {
  readonly #config: ConfigFile;
  readonly #reference: Reference;
  readonly #insecure: boolean;
  #base: string | undefined;
  #authorization: string | undefined;

  constructor(config: ConfigFile, reference: Reference, insecure: boolean) {
    this.#config = config;
    this.#reference = reference;
    this.#insecure = insecure;
  }

  /** Undefined where the registry has no such manifest. */
  async findManifest(object: string): Promise<RemoteDocument | undefined> {
    const answer = await this.#send(`manifests/${object}`, { headers: { accept: manifestTypes } });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw await this.#failure(answer);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const digest = digestOf(bytes);
    if (findImageId(object) && object !== digest) {
      throw new Error(`the registry sent ${digest} where ${object} was asked for`);
    }
    return { mediaType: answer.headers.get('content-type')?.split(';')[0] ?? '', digest, bytes };
  }

  async readBlob(digest: Digest): Promise<Uint8Array> {
    const answer = await this.#send(`blobs/${digest}`, {});
    if (answer.status !== 200) throw await this.#failure(answer);
    return new Uint8Array(await answer.arrayBuffer());
  }

  async putManifest(object: string, mediaType: string, bytes: Uint8Array): Promise<void> {
    const body = new Uint8Array(bytes);
    const headers = { 'content-type': mediaType };
    const answer = await this.#send(`manifests/${object}`, { method: 'PUT', headers, body });
    if (answer.status !== 201) throw await this.#failure(answer);
  }

  /** Makes a blob of another repository one of this one. */
  async mountBlob(digest: Digest, from: string): Promise<void> {
    const known = await this.#send(`blobs/${digest}`, { method: 'HEAD' });
    if (known.status === 200) return;
    const query = new URLSearchParams({ mount: digest, from });
    const answer = await this.#send(`blobs/uploads/?${query.toString()}`, { method: 'POST' });
    if (answer.status !== 201) throw new Error(`failed to mount blob ${digest} from ${from}`);
  }

  async #send(path: string, init: Send): Promise<Response> {
    const name = this.#reference.path;
    const first = await this.#fetch(`${await this.#address()}v2/${name}/${path}`, init);
    if (first.status !== 401) return first;
    this.#authorization = await this.#authorize(first.headers.get('www-authenticate') ?? '');
    return this.#fetch(`${await this.#address()}v2/${name}/${path}`, init);
  }

  async #address(): Promise<string> {
    if (this.#base !== undefined) return this.#base;
    const { domain } = this.#reference;
    const host = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
    if (this.#insecure) {
      try {
        await this.#fetch(`https://${host}/v2/`, {});
      } catch {
        return (this.#base = `http://${host}/`);
      }
    }
    return (this.#base = `https://${host}/`);
  }

  async #fetch(url: string, init: Send): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#authorization !== undefined) headers.set('authorization', this.#authorization);
    const unverified: UnverifiedInit = this.#insecure ? { tls: { rejectUnauthorized: false } } : {};
    return fetch(url, { ...init, headers, ...unverified });
  }

  /** The header for what the registry asks for: basic credentials or a token (distribution's token.md). */
  async #authorize(challenge: string): Promise<string> {
    const auth = findAuth(this.#config, this.#reference.domain);
    const basic =
      auth?.username === undefined
        ? undefined
        : `Basic ${Buffer.from(`${auth.username}:${auth.password ?? ''}`).toString('base64')}`;
    const realm = /realm="([^"]*)"/.exec(challenge)?.[1];
    if (!/^bearer/i.test(challenge) || realm === undefined) return basic ?? '';
    const url = new URL(realm);
    const service = /service="([^"]*)"/.exec(challenge)?.[1];
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${this.#reference.path}:pull,push`);
    const headers = basic === undefined ? {} : { authorization: basic };
    const answer = await fetch(url, { headers });
    const { token, access_token: access } = (await answer.json()) as {
      token?: string;
      access_token?: string;
    };
    return `Bearer ${token ?? access ?? ''}`;
  }

  async #failure(answer: Response): Promise<Error> {
    const text = await answer.text();
    try {
      const [first] = (JSON.parse(text) as { errors?: { code?: string; message?: string }[] }).errors ?? [];
      if (first)
        return new Error(`${(first.code ?? '').toLowerCase().replaceAll('_', ' ')}: ${first.message ?? ''}`);
    } catch {
      // Not the registry's own words.
    }
    return new Error(`received unexpected HTTP status: ${answer.status} ${answer.statusText}`.trimEnd());
  }
}
