import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageManifestSummary, ImageSummary } from '#api/types';
import { renderTree } from './tree-view.ts';

const manifest = (
  architecture: string,
  content: number,
  containers: readonly string[],
): ImageManifestSummary => ({
  ID: `sha256:${architecture.padEnd(64, '0')}`,
  Descriptor: { mediaType: '', digest: '', size: 0 },
  Available: true,
  Size: { Content: content, Total: content + 2 },
  Kind: 'image',
  ImageData: { Platform: { os: 'linux', architecture }, Containers: containers, Size: { Unpacked: 2 } },
});

const image = (tags: readonly string[], manifests: readonly ImageManifestSummary[]): ImageSummary => ({
  Id: `sha256:${'a'.repeat(64)}`,
  ParentId: '',
  RepoTags: tags,
  RepoDigests: [],
  Created: 0,
  Size: 2,
  SharedSize: -1,
  Labels: null,
  Containers: 0,
  Manifests: manifests,
});

test('renderTree() shows the platforms of each image, and which are in use', () => {
  const one = image(
    ['two:latest', 'other/name:3'],
    [manifest('amd64', 819, ['c']), manifest('s390x', 814, [])],
  );
  const long = image(['single/with/a/very/long/name:latest'], []);
  assert.deepEqual(renderTree([one, long], 80).split('\n'), [
    '                                                              Info ->  U In Use ',
    '',
    'IMAGE                           ID             DISK USAGE   CONTENT SIZE   EXTRA',
    'other/name:3',
    'two:latest                      aaaaaaaaaaaa           2B         1.63kB   U    ',
    '├─ linux/amd64                  amd640000000         821B           819B   U    ',
    '└─ linux/s390x                  s390x0000000         816B           814B        ',
    '',
    'single/with/a/very/long/name…   aaaaaaaaaaaa           2B             0B        ',
    '',
    '',
  ]);
});
