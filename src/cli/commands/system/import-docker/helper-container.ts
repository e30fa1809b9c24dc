import { createHash } from 'node:crypto';
import type { EngineClient } from '#client';
import { ifPresent } from './if-present.ts';
import type { SourceVolume } from './import-source.ts';

const repository = 'wharf-import';
const helperImage = `${repository}:helper`;
/** Where a helper has its volume. */
const mountPoint = '/volume';

/** The name of the container that gives access to a volume. */
const helperName = (volume: string): string =>
  `${repository}-${createHash('sha256').update(volume).digest('hex').slice(0, 16)}`;

/** An empty image, so that containers can be made that never start. */
export async function makeHelperImage(engine: EngineClient): Promise<void> {
  const query = { fromSrc: '-', repo: repository, tag: 'helper' };
  const empty = async function* (): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield new Uint8Array(1024);
  };
  await engine.done({
    method: 'POST',
    path: '/images/create',
    query,
    stream: empty(),
    contentType: 'application/x-tar',
  });
}

export async function removeHelperImage(engine: EngineClient): Promise<void> {
  await ifPresent(engine.done({ method: 'DELETE', path: `/images/${helperImage}` }));
}

/** Whether a copy into this volume was begun and not finished. */
export async function hasHelper(engine: EngineClient, volume: string): Promise<boolean> {
  const helper = engine.json<object>({ method: 'GET', path: `/containers/${helperName(volume)}/json` });
  return (await ifPresent(helper)) !== undefined;
}

/** A container with the volume mounted; the volume is made with it if there is none. It is never started. */
export async function makeHelper(engine: EngineClient, volume: SourceVolume): Promise<void> {
  const { name, driver, labels, options } = volume;
  await engine.done({
    method: 'POST',
    path: '/containers/create',
    query: { name: helperName(name) },
    json: {
      Image: helperImage,
      Cmd: ['never-started'],
      Labels: { [repository]: name },
      HostConfig: {
        NetworkMode: 'none',
        Mounts: [
          {
            Type: 'volume',
            Source: name,
            Target: mountPoint,
            VolumeOptions: { NoCopy: true, Labels: labels, DriverConfig: { Name: driver, Options: options } },
          },
        ],
      },
    },
  });
}

export async function removeHelper(engine: EngineClient, volume: string): Promise<void> {
  await ifPresent(
    engine.done({ method: 'DELETE', path: `/containers/${helperName(volume)}`, query: { force: true } }),
  );
}

/** What is in the helper's volume, as a tar. */
export async function* readVolume(engine: EngineClient, volume: string): AsyncGenerator<Uint8Array> {
  const { body } = await engine.send({
    method: 'GET',
    path: `/containers/${helperName(volume)}/archive`,
    query: { path: `${mountPoint}/.` },
  });
  yield* body;
}

export async function writeVolume(
  engine: EngineClient,
  volume: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<void> {
  await engine.done({
    method: 'PUT',
    path: `/containers/${helperName(volume)}/archive`,
    query: { path: mountPoint },
    stream,
    contentType: 'application/x-tar',
  });
}
