import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import {
  debianImage,
  digestOf,
  gzipped,
  makeTar,
  writeArchive,
  type TestImage,
} from '../test/setup/index.ts';

/** Debian's 170 MB with a file of one's own: an image that no engine has seen. */
interface RoundImage {
  readonly image: TestImage;
  /** Of the layer, compressed. */
  readonly blob: { readonly digest: string; readonly size: number };
}

/**
 * Makes images for rounds of one and the same job. Nothing needs to be removed between two rounds: on ext4 without a
 * journal each round would be slower than the one before it, since inodes freed lately are stepped over.
 */
export class RoundImages implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<RoundImages> {
    return new RoundImages(await mkdtemp(join(tmpdir(), 'wharf-bench-')));
  }

  /** A file for `docker load`. */
  async archive(name: string): Promise<string> {
    const { image } = await this.#make();
    const path = join(this.#folder, `${digestOf(image.config).slice(7)}.tar`);
    await writeArchive(path, [{ image, tags: [name] }]);
    await this.#forget(image);
    return path;
  }

  /** Puts an image into the folder of a docker-registry (its driver `filesystem`), as each of the repositories. */
  async publish(storages: readonly string[], repository: string, tag: string): Promise<void> {
    const { image, blob } = await this.#make();
    const layer = image.layers[0]?.path ?? '';
    const type = 'application/vnd.docker';
    const config = { digest: digestOf(image.config), size: image.config.length };
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: `${type}.distribution.manifest.v2+json`,
        config: { mediaType: `${type}.container.image.v1+json`, ...config },
        layers: [{ mediaType: `${type}.image.rootfs.diff.tar.gzip`, ...blob }],
      }),
    );
    const revision = digestOf(manifest);
    for (const storage of storages) {
      const root = join(storage, 'docker/registry/v2');
      const data = (digest: string): string =>
        join(root, 'blobs/sha256', digest.slice(7, 9), digest.slice(7), 'data');
      const link = (path: string, digest: string): Promise<void> =>
        write(join(root, 'repositories', repository, path, 'link'), Buffer.from(digest));
      await mkdir(dirname(data(blob.digest)), { recursive: true });
      await pipeline(createReadStream(`${layer}.gz`), createWriteStream(data(blob.digest)));
      await write(data(config.digest), image.config);
      await write(data(revision), manifest);
      for (const { digest } of [blob, config]) await link(`_layers/sha256/${digest.slice(7)}`, digest);
      await link(`_manifests/revisions/sha256/${revision.slice(7)}`, revision);
      await link(`_manifests/tags/${tag}/current`, revision);
      await link(`_manifests/tags/${tag}/index/sha256/${revision.slice(7)}`, revision);
    }
    await this.#forget(image);
  }

  async #make(): Promise<RoundImage> {
    const base = await debianImage();
    const source = base.layers[0]?.path ?? '';
    const packed = await gzipped(source);
    const path = join(this.#folder, `${randomBytes(8).toString('hex')}.tar`);
    // The archive's end belongs to the other one. Members of gzip that follow each other are one stream.
    const own = makeTar([{ name: 'bench-round', content: randomBytes(64) }]).subarray(0, 1024);
    const diffId = await concatenate(own, source, path);
    const digest = await concatenate(gzipSync(own), packed.path, `${path}.gz`);
    const config = JSON.parse(base.config.toString()) as { rootfs: { diff_ids: string[] } };
    config.rootfs.diff_ids = [diffId];
    const { size } = await stat(path);
    return {
      image: { config: Buffer.from(JSON.stringify(config)), layers: [{ path, diffId, size }] },
      blob: { digest, size: (await stat(`${path}.gz`)).size },
    };
  }

  async #forget({ layers }: TestImage): Promise<void> {
    for (const { path } of layers) for (const file of [path, `${path}.gz`]) await rm(file, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function write(path: string, data: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
}

/** Writes bytes and then a file; answers the digest of both together. */
async function concatenate(head: Uint8Array, source: string, target: string): Promise<string> {
  const hash = createHash('sha256');
  const all = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield head;
    yield* createReadStream(source, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>;
  };
  const hashed = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of all()) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(hashed(), createWriteStream(target));
  return `sha256:${hash.digest('hex')}`;
}
