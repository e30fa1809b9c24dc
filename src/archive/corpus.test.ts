import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mountOverlay, unmount } from '#linux';
import { createArchiver } from './index.ts';
import { AwkwardLayers } from './testing/awkward-layers.ts';
import { differences, fullTree, type FullEntry } from './testing/full-tree.ts';
import { temporaryFolder } from './testing/tree.ts';

/** How many archives each of the corpora has, and where the seeds begin. */
const size = Number(process.env['WHARF_CORPUS'] ?? 40);
const first = Number(process.env['WHARF_CORPUS_SEED'] ?? 1);

const archiver = createArchiver();
after(() => archiver[Symbol.asyncDispose]());
const { signal } = new AbortController();

type Tree = ReadonlyMap<string, FullEntry>;

/** Made by an unpacker without having been told of: so its time is now. */
const isUntold = (tree: Tree, path: string): boolean =>
  tree.get(path)?.kind === 'folder' && tree.get(path)?.mtime === 'now';

function make(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/**
 * What GNU tar does otherwise, on purpose or by mistake:
 * - the topmost folder is the caller's; we leave it as it is, as Docker does;
 * - folders it was not told of take the setgid bit and group of those that they lie in; ours are root's, 0755;
 * - a folder that was there before gets none of the extended attributes of its entry;
 * - how many blocks the file system takes for its own list of a file's parts differs from run to run.
 */
function tarsOwn(ours: Tree, theirs: Tree) {
  return (path: string, field: keyof FullEntry): boolean => {
    if (path === '') return true;
    if (field === 'mode' || field === 'owner') return isUntold(ours, path) && isUntold(theirs, path);
    if (field === 'blocks') {
      return Math.abs(Number(ours.get(path)?.blocks) - Number(theirs.get(path)?.blocks)) <= 8;
    }
    return field === 'xattrs' && theirs.get(path)?.kind === 'folder' && theirs.get(path)?.xattrs.length === 0;
  };
}

test(`applyLayer() gives the tree that GNU tar gives, for ${size} awkward archives`, async () => {
  for (let seed = first; seed < first + size; seed += 1) {
    using folder = temporaryFolder();
    const [archive = Buffer.alloc(0)] = new AwkwardLayers(seed, { layers: 1, reader: 'tar' }).make();
    const [path, ours, theirs] = [
      join(folder.path, 'a.tar'),
      make(folder.path, 'ours'),
      make(folder.path, 'theirs'),
    ];
    writeFileSync(path, archive);
    const options = [
      '--numeric-owner',
      '--same-owner',
      '--delay-directory-restore',
      '--warning=no-timestamp',
    ];
    const attributes = ['--xattrs', '--xattrs-include=*'];
    const tar = spawnSync('tar', ['-xpf', path, ...options, ...attributes, '-C', theirs], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
    const { entries } = await archiver.applyLayer({ path }, { mounts: { lower: [], upper: ours }, signal });
    // An archive without an entry is none to GNU tar.
    if (entries > 0) assert.equal(tar.status, 0, `seed ${seed}: ${tar.stderr}`);
    const [left, right] = [fullTree(ours), fullTree(theirs)];
    assert.deepEqual(differences(left, right, tarsOwn(left, right)), [], `seed ${seed}`);
  }
});

/** An OCI layout with one image of these layers, called `image`. */
function writeLayout(folder: string, layers: readonly Buffer[]): void {
  const blobs = make(folder, 'blobs/sha256');
  const put = (data: Buffer, kind: string): object => {
    const hex = createHash('sha256').update(data).digest('hex');
    writeFileSync(join(blobs, hex), data);
    return {
      mediaType: `application/vnd.oci.image.${kind}`,
      digest: `sha256:${hex}`,
      size: data.length,
    };
  };
  const descriptors = layers.map((layer) => put(layer, 'layer.v1.tar'));
  const diffIds = layers.map((layer) => `sha256:${createHash('sha256').update(layer).digest('hex')}`);
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs };
  const manifest = put(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: put(Buffer.from(JSON.stringify(config)), 'config.v1+json'),
        layers: descriptors,
      }),
    ),
    'manifest.v1+json',
  );
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'image' } };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
}

/** Unpacks layers over each other, as overlay and as full copy; returns both trees. */
async function unpackBoth(folder: string, layers: readonly Buffer[]): Promise<[overlay: Tree, copy: Tree]> {
  const copy = make(folder, 'copy');
  // Two at least, or there is nothing to stack.
  const lower = [make(folder, 'empty')];
  for (const [n, layer] of layers.entries()) {
    const [path, upper] = [join(folder, `layer-${n}.tar`), make(folder, `layer-${n}`)];
    writeFileSync(path, layer);
    const below = n === 0 ? [] : lower.slice(0, n);
    await archiver.applyLayer({ path }, { mounts: { lower: below, upper }, signal });
    await archiver.applyLayer({ path }, { mounts: { lower: [], upper: copy, base: copy }, signal });
    lower.unshift(upper);
  }
  const merged = make(folder, 'merged');
  mountOverlay({ lower, target: merged, readonly: true });
  try {
    return [fullTree(merged), fullTree(copy)];
  } finally {
    unmount(merged);
  }
}

/**
 * What umoci does otherwise:
 * - the topmost folder takes what the archive says of it; with Docker and us it is root's and 0755;
 * - holes of sparse files are filled with zeros, as Go's reader of archives does;
 * - a folder that it was not told of takes the setgid bit and group of the one it lies in, and the folder in which it
 *   makes one loses its time.
 * And one that an overlay cannot do otherwise: a file of a lower layer which gets one more name in an upper one is a
 * file of its own there, apart from its other names below.
 */
function umocisOwn(ours: Tree, theirs: Tree, layers: number) {
  return (path: string, field: keyof FullEntry): boolean => {
    if (path === '' || field === 'blocks') return true;
    if (field === 'twin') return layers > 1;
    const isItsOwn = field === 'mode' || field === 'owner' || field === 'mtime';
    return isItsOwn && ours.get(path)?.kind === 'folder' && isUntold(theirs, path);
  };
}

const images = Math.max(1, Math.floor(size / 2));
test(`layers of ${images} awkward images give the tree that umoci gives, stacked and copied`, async () => {
  for (let seed = first; seed < first + images; seed += 1) {
    using folder = temporaryFolder();
    const layers = new AwkwardLayers(seed, { layers: 1 + (seed % 3), reader: 'umoci' }).make();
    const layout = make(folder.path, 'layout');
    writeLayout(layout, layers);
    const bundle = join(folder.path, 'bundle');
    const umoci = spawnSync('umoci', ['unpack', '--image', `${layout}:image`, bundle], { encoding: 'utf8' });
    assert.equal(umoci.status, 0, `seed ${seed}: ${umoci.error?.message ?? umoci.stderr}`);
    const theirs = fullTree(join(bundle, 'rootfs'));
    const [overlay, copy] = await unpackBoth(folder.path, layers);
    assert.deepEqual(
      differences(overlay, theirs, umocisOwn(overlay, theirs, layers.length)),
      [],
      `seed ${seed}`,
    );
    assert.deepEqual(differences(copy, theirs, umocisOwn(copy, theirs, 1)), [], `copy, seed ${seed}`);
    rmSync(layout, { recursive: true });
  }
});
