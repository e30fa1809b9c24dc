import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidArgument, newId, type KeyedLock } from '#kernel';
import { headerOf, networkFailure, verifiedTrust, type Answer, type Transport } from '#registry/client';
import type { ContextStore } from '../contexts/context-store.ts';
import type { StoredContents, Tree, TreeEntry } from '../contexts/tree.ts';

/** One file by its address. */
export interface HttpFile {
  readonly url: string;
  /** Under which it is put into the tree. */
  readonly fileName: string;
  /** `sha256:…` that it must have; '' for anything. */
  readonly checksum: string;
}

/** What is remembered of an address, for asking whether its file is still the same. */
interface Remembered {
  readonly etag: string;
  readonly digest: string;
  readonly size: number;
  /** As the server said it; '' where it did not. */
  readonly lastModified: string;
}

interface Known extends Remembered {
  readonly stored: StoredContents | undefined;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Bytes received so far, and how many there will be; 0 where the server does not say. */
  onProgress?(received: number, total: number): void;
}

/** Bytes; a server that never ends would fill the disk. */
const largestFile = 64 * 1024 ** 3;
const mode = 0o600;

/**
 * Files by their addresses. Each is asked for again in every build, but comes again only when the server says that it
 * has changed (ETag, RFC 9110 13.1.2), and not at all when its checksum is known beforehand and the file is here.
 */
export class HttpSource {
  readonly #contexts: ContextStore;
  readonly #connect: () => Transport;
  readonly #locks: KeyedLock;

  constructor(contexts: ContextStore, connect: () => Transport, locks: KeyedLock) {
    this.#contexts = contexts;
    this.#connect = connect;
    this.#locks = locks;
  }

  /** The tree that holds just this file. Throws invalidArgument for another digest than was asked for. */
  async fetch(file: HttpFile, options: DownloadOptions): Promise<Tree> {
    await using _lock = await this.#locks.acquire(`http ${file.url}`, options);
    const known = await this.#known(file.url);
    if (known && file.checksum === `sha256:${known.digest}`) return treeOf(file, known);
    await using transport = this.#connect();
    const answer = await ask(transport, file.url, known, options.signal);
    const isSame = known !== undefined && (answer.status === 304 || etagOf(answer) === known.etag);
    if (isSame) answer.body.destroy();
    const entry = isSame ? known : await this.#receive(file, answer, options);
    if (file.checksum !== '' && file.checksum !== `sha256:${entry.digest}`) {
      throw invalidArgument(`digest mismatch sha256:${entry.digest}: ${file.checksum}`);
    }
    return treeOf(file, entry);
  }

  async #receive(file: HttpFile, answer: Answer, options: DownloadOptions): Promise<Known> {
    const total = Number(headerOf(answer, 'content-length') ?? 0);
    const lastModified = headerOf(answer, 'last-modified') ?? '';
    const tree = await this.#contexts.receiveFile(
      limited(answer, options.signal),
      { name: file.fileName, mode, modTime: timeOf(lastModified) },
      { signal: options.signal, onProgress: (received) => options.onProgress?.(received, total) },
    );
    const { digest = '', size = 0, stored } = tree.get(file.fileName) ?? {};
    const known = { etag: etagOf(answer), digest, size, lastModified };
    await this.#remember(file.url, known);
    return { ...known, stored };
  }

  async #known(url: string): Promise<Known | undefined> {
    try {
      const known = JSON.parse(await readFile(this.#record(url), 'utf8')) as Remembered; // written by #remember()
      const kept = this.#contexts.find(known.digest);
      return kept && { ...known, stored: kept.stored };
    } catch {
      return undefined;
    }
  }

  /** What has no ETag cannot be asked about again. */
  async #remember(url: string, known: Remembered): Promise<void> {
    const path = this.#record(url);
    if (known.etag === '') {
      await rm(path, { force: true });
      return;
    }
    await mkdir(join(this.#contexts.root, 'http'), { recursive: true });
    const next = `${path}.${newId()}`;
    await writeFile(next, JSON.stringify(known), { mode });
    await rename(next, path);
  }

  #record(url: string): string {
    return join(this.#contexts.root, 'http', createHash('sha256').update(url).digest('hex'));
  }
}

async function ask(
  transport: Transport,
  url: string,
  known: Known | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  const parsed = new URL(url);
  const login = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  const answer = await transport.send({
    ...{ method: 'GET', url: parsed, signal, trust: verifiedTrust },
    headers: {
      ...(known && { 'if-none-match': known.etag }),
      ...(login !== ':' && { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
    },
  });
  if (answer.status === 304 && known) return answer;
  if (answer.status >= 200 && answer.status < 300) return answer;
  await answer.discard();
  throw invalidArgument(`failed to load cache key: invalid response status ${answer.status}`);
}

/** A weak tag says as much as a strong one here. */
const etagOf = (answer: Answer): string => (headerOf(answer, 'etag') ?? '').replace(/^W\//, '');

/** Nanoseconds; a file whose age is not known is as old as can be. */
function timeOf(lastModified: string): bigint {
  const milliseconds = Date.parse(lastModified);
  return Number.isNaN(milliseconds) ? 0n : BigInt(milliseconds) * 1_000_000n;
}

function treeOf({ fileName }: HttpFile, { digest, size, lastModified, stored }: Known): Tree {
  const entry: TreeEntry = {
    ...{ path: fileName, type: 'file', mode, uid: 0, gid: 0, size, modTime: timeOf(lastModified) },
    ...{ linkname: '', devmajor: 0, devminor: 0, xattrs: new Map(), digest, stored },
  };
  return new Map([[fileName, entry]]);
}

async function* limited(answer: Answer, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let size = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > largestFile) throw invalidArgument(`${answer.url.href} is larger than ${largestFile} bytes`);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw networkFailure(answer.method, answer.url, error);
  } finally {
    answer.body.destroy();
  }
}
