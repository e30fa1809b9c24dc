import type { EngineClient } from '#client';
import { Limiter } from '#kernel';
import {
  makeHelper,
  makeHelperImage,
  readVolume,
  removeHelper,
  removeHelperImage,
} from './helper-container.ts';
import type { ImportSource, SourceImage, SourceVolume } from './import-source.ts';

interface ListedImage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Size: number;
}

interface ListedVolume {
  readonly Name: string;
  readonly Driver: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Options: Readonly<Record<string, string>> | null;
}

/** A running engine. All it has to bear is a container per volume that is never started, and its empty image. */
export class EngineSource implements ImportSource {
  readonly name: string;
  readonly #engine: EngineClient;
  #prepared: Promise<void> | undefined;

  constructor(name: string, engine: EngineClient) {
    this.name = name;
    this.#engine = engine;
  }

  async images(): Promise<readonly SourceImage[]> {
    const listed = await this.#engine.json<readonly ListedImage[]>({ method: 'GET', path: '/images/json' });
    // Each request at once is a connection of its own.
    const inspections = new Limiter(8);
    return Promise.all(
      listed.map(async ({ Id: id, RepoTags, Size: size }) => {
        const { RootFS } = await inspections.run(() =>
          this.#engine.json<{ RootFS?: { Layers?: readonly string[] | null } }>({
            method: 'GET',
            path: `/images/${id}/json`,
          }),
        );
        const tags = (RepoTags ?? []).filter((tag) => !tag.includes('<none>'));
        return { id, tags, size, layers: RootFS?.Layers ?? [] };
      }),
    );
  }

  async *saveImage({ id }: SourceImage): AsyncGenerator<Uint8Array> {
    const { body } = await this.#engine.send({ method: 'GET', path: '/images/get', query: { names: id } });
    yield* body;
  }

  async volumes(): Promise<readonly SourceVolume[]> {
    const { Volumes } = await this.#engine.json<{ Volumes: readonly ListedVolume[] | null }>({
      method: 'GET',
      path: '/volumes',
    });
    return (Volumes ?? []).map(({ Name, Driver, Labels, Options }) => ({
      name: Name,
      driver: Driver,
      labels: Labels ?? {},
      options: Options ?? {},
    }));
  }

  async *saveVolume(volume: SourceVolume): AsyncGenerator<Uint8Array> {
    await (this.#prepared ??= makeHelperImage(this.#engine));
    // One of an earlier attempt that was cut off.
    await removeHelper(this.#engine, volume.name);
    try {
      await makeHelper(this.#engine, volume);
      yield* readVolume(this.#engine, volume.name);
    } finally {
      await removeHelper(this.#engine, volume.name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#prepared) await removeHelperImage(this.#engine);
    this.#engine.close();
  }
}
