import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tarHeader, writeTar, type NewTarEntry } from '#archive';
import { chainIds, type Digest } from '#oci';
import type { ImportSource, SourceImage, SourceVolume } from './import-source.ts';
import { openStoredLayer, type StoredLayer } from './layer-tar.ts';

interface ImageConfig {
  readonly rootfs?: { readonly diff_ids?: readonly Digest[] | null };
}

/** Where each storage driver of Docker has the files of a layer. */
const layerFolders: Readonly<Record<string, (id: string) => string>> = {
  overlay2: (id) => join('overlay2', id, 'diff'),
  'fuse-overlayfs': (id) => join('fuse-overlayfs', id, 'diff'),
  vfs: (id) => join('vfs/dir', id),
};

/** The files of an engine that is stopped. They are only read. */
export class DataRootSource implements ImportSource {
  readonly name: string;
  readonly #root: string;
  readonly #driver: string;

  /** Throws when the folder is no data root of Docker, or one whose storage driver is not known. */
  constructor(root: string) {
    this.name = root;
    this.#root = root;
    const image = join(root, 'image');
    const drivers = existsSync(image) ? readdirSync(image) : [];
    const known = drivers.find((name) => layerFolders[name] && existsSync(join(image, name, 'imagedb')));
    if (known === undefined) {
      const found = drivers.length > 0 ? ` (it has: ${drivers.join(', ')})` : '';
      throw new Error(
        `${root} holds no images of Docker's drivers ${Object.keys(layerFolders).join(', ')}${found}: start that engine and use --socket`,
      );
    }
    this.#driver = known;
  }

  images(): Promise<readonly SourceImage[]> {
    const folder = join(this.#root, 'image', this.#driver, 'imagedb/content/sha256');
    const tags = this.#tags();
    const images = readdirSync(folder).map((hash) => {
      const id = `sha256:${hash}`;
      const layers = this.#config(id).rootfs?.diff_ids ?? [];
      const size = chainIds(layers).reduce((sum, chain) => sum + Number(this.#layerFile(chain, 'size')), 0);
      return { id, tags: tags.get(id) ?? [], size, layers };
    });
    return Promise.resolve(images);
  }

  saveImage({ id }: SourceImage): AsyncIterable<Uint8Array> {
    return writeTar(this.#archive(id));
  }

  volumes(): Promise<readonly SourceVolume[]> {
    const folder = join(this.#root, 'volumes');
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return Promise.resolve(
      names
        .filter((name) => existsSync(join(folder, name, '_data')))
        .map((name) => ({ name, driver: 'local', labels: {}, options: this.#volumeOptions(name) })),
    );
  }

  async *saveVolume({ name }: SourceVolume): AsyncGenerator<Uint8Array> {
    const folder = join(this.#root, 'volumes', name, '_data');
    const args = ['-C', folder, '--numeric-owner', '--xattrs', '--xattrs-include=*', '-cf', '-', '.'];
    const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve, reject) => {
      tar.once('error', reject).once('close', resolve);
    });
    let complaint = '';
    tar.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    yield* tar.stdout as AsyncIterable<Buffer>;
    const code = await ended;
    if (code !== 0) throw new Error(`tar of ${folder} ended with ${code ?? 'a signal'}: ${complaint.trim()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing was opened.
  }

  *#archive(id: string): Generator<NewTarEntry> {
    const config = Buffer.from(this.#configText(id));
    const layers = chainIds(this.#config(id).rootfs?.diff_ids ?? []).map((chain, index) => ({
      name: `${index}.tar`,
      chain,
    }));
    const manifest = [{ Config: 'config.json', RepoTags: null, Layers: layers.map(({ name }) => name) }];
    const text = Buffer.from(JSON.stringify(manifest));
    yield { header: tarHeader({ name: 'config.json', size: config.length }), content: config };
    for (const { name, chain } of layers) {
      // One at a time: the headers of a layer's files are held in memory.
      const layer = this.#layer(chain);
      yield { header: tarHeader({ name, size: layer.size }), content: layer.read() };
    }
    yield { header: tarHeader({ name: 'manifest.json', size: text.length }), content: text };
  }

  #layer(chain: string): StoredLayer {
    const folder = layerFolders[this.#driver]?.(this.#layerFile(chain, 'cache-id')) ?? '';
    return openStoredLayer(join(this.#layerDb(chain), 'tar-split.json.gz'), join(this.#root, folder));
  }

  #layerDb(chain: string): string {
    return join(this.#root, 'image', this.#driver, 'layerdb/sha256', chain.slice('sha256:'.length));
  }

  #layerFile(chain: string, name: string): string {
    return readFileSync(join(this.#layerDb(chain), name), 'utf8').trim();
  }

  #configText(id: string): string {
    const folder = join(this.#root, 'image', this.#driver, 'imagedb/content/sha256');
    return readFileSync(join(folder, id.slice('sha256:'.length)), 'utf8');
  }

  #config(id: string): ImageConfig {
    // The store keeps only valid configurations.
    return JSON.parse(this.#configText(id)) as ImageConfig;
  }

  /** Names with tags by image. */
  #tags(): Map<string, string[]> {
    const file = join(this.#root, 'image', this.#driver, 'repositories.json');
    const found = new Map<string, string[]>();
    if (!existsSync(file)) return found;
    // Docker's own file.
    const { Repositories } = JSON.parse(readFileSync(file, 'utf8')) as {
      Repositories?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    };
    for (const [name, id] of Object.values(Repositories ?? {}).flatMap((each) => Object.entries(each))) {
      if (!name.includes('@')) found.set(id, [...(found.get(id) ?? []), name]);
    }
    return found;
  }

  #volumeOptions(name: string): Readonly<Record<string, string>> {
    const file = join(this.#root, 'volumes', name, 'opts.json');
    if (!existsSync(file)) return {};
    // The local driver's own names for `type`, `device` and `o`.
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
    const named = { type: saved['MountType'], device: saved['MountDevice'], o: saved['MountOpts'] };
    return Object.fromEntries(
      Object.entries(named).flatMap(([key, value]) =>
        typeof value === 'string' && value !== '' ? [[key, value]] : [],
      ),
    );
  }
}
