import { tarHeader, writeTar } from '#archive';
import { digestOf, mediaTypes, parseReference, type ImageConfig } from '#oci';
import type { Claims } from './claims.ts';
import { helloProgram } from './hello-program.ts';
import type { ImageIntake } from './image-intake.ts';
import { nameOf, type ImageIndex, type ImageName } from './image-index.ts';

/** What the embedded image is called. */
export const helloWorldName: ImageName = nameOf(parseReference('hello-world:latest'));

/** Fixed, so that the image's id depends on the program alone. */
const created = '2026-01-01T00:00:00Z';

async function helloLayer(architecture: 'amd64' | 'arm64'): Promise<Buffer> {
  const content = helloProgram(architecture);
  const header = tarHeader({ name: 'hello', mode: 0o755, size: content.length });
  return Buffer.concat(await Array.fromAsync(writeTar([{ header, content }])));
}

/** Makes the embedded hello-world under its name, from bytes that this program carries. */
export async function makeHelloWorld(intake: ImageIntake, claims: Claims): Promise<void> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const data = await helloLayer(architecture);
  const diffId = digestOf(data);
  const config: ImageConfig = {
    architecture,
    config: { Cmd: ['/hello'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    created,
    history: [
      { created, created_by: 'COPY hello / # embedded in wharfd' },
      { created, created_by: 'CMD ["/hello"]', empty_layer: true },
    ],
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  await using claim = claims.open();
  const layer = await intake.put(claim, mediaTypes.dockerLayer, data);
  const configuration = await intake.put(claim, mediaTypes.dockerConfig, Buffer.from(JSON.stringify(config)));
  const manifest = await intake.putManifest(claim, configuration, [layer]);
  await intake.admit(manifest, {
    names: [helloWorldName],
    platform: { os: 'linux', architecture },
    claim,
    // A few hundred bytes: over before anyone could want to stop it.
    signal: new AbortController().signal,
  });
}

/** Whether anything has the name already; whatever it is, it stays. */
export const hasHelloWorld = (index: ImageIndex): boolean => index.imageOf(helloWorldName) !== undefined;
