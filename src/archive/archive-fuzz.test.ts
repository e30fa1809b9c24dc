import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { mountOverlay, unmount } from '#linux';
import { createArchiver, type LayerFolders } from './index.ts';
import { describeTree, tarOf, temporaryFolder, type ShortEntry } from './testing/tree.ts';

const archiver = createArchiver();
after(() => archiver[Symbol.asyncDispose]());
const { signal } = new AbortController();

async function* once(data: Buffer): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield data;
}

const part = fc.constantFrom('a', 'b', 'c', '..', '.', '', '.wh.a', '.wh..wh..opq', 'outside', 'file');
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const type = fc.constantFrom('file', 'file', 'folder', 'symlink', 'symlink', 'hardlink', 'fifo');

test('no sequence of entries reaches anything outside the root', async () => {
  using folder = temporaryFolder();
  const outside = join(folder.path, 'outside');
  mkdirSync(join(outside, 'a/b'), { recursive: true });
  writeFileSync(join(outside, 'file'), 'safe');
  writeFileSync(join(outside, 'a/file'), 'safe');
  const before = describeTree(outside);
  const target = fc.oneof(path, fc.constantFrom(outside, `${outside}/a`, '../outside', '../../outside/a'));
  const entry = fc.record({
    name: path,
    type,
    linkName: target,
    mode: fc.constantFrom(0o644, 0o755, 0o4777),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 12 }), fc.boolean(), async (entries, isCopy) => {
      const root = mkdtempSync(join(folder.path, 'root-'));
      const short: ShortEntry[] = entries
        .filter(({ name }) => name !== '')
        .map(({ linkName, ...fields }) => ({
          ...fields,
          ...(fields.type.endsWith('link') ? { linkName: linkName || 'a' } : {}),
          ...(fields.type === 'file' ? { text: 'evil' } : {}),
        }));
      const stream = once(await tarOf(...short));
      const mounts: LayerFolders = isCopy ? { lower: [], upper: root } : { lower: ['/nowhere'], upper: root };
      try {
        await archiver.applyLayer({ stream }, { mounts, signal });
      } catch (error) {
        const { kind, message } = error as Error & { kind?: string };
        assert.equal(kind, 'invalidArgument', message);
      }
      assert.deepEqual(describeTree(outside), before);
      await archiver.removeTree(root, { signal });
      assert.deepEqual(readdirSync(folder.path), ['outside']);
    }),
    { numRuns: 150 },
  );
});

type Operation = (root: string) => void;
const place = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(place, fc.string({ maxLength: 9 })).map(
    ([at, text]): Operation =>
      (root) =>
        writeFileSync(join(root, at), text),
  ),
  place.map(
    (at): Operation =>
      (root) =>
        void mkdirSync(join(root, at), { recursive: true }),
  ),
  place.map(
    (at): Operation =>
      (root) =>
        rmSync(join(root, at), { recursive: true }),
  ),
  fc.tuple(place, place).map(
    ([from, to]): Operation =>
      (root) =>
        renameSync(join(root, from), join(root, to)),
  ),
  fc.tuple(place, place).map(
    ([from, to]): Operation =>
      (root) =>
        linkSync(join(root, from), join(root, to)),
  ),
  fc.tuple(place, place).map(
    ([to, at]): Operation =>
      (root) =>
        symlinkSync(to, join(root, at)),
  ),
  fc.tuple(place, fc.constantFrom(0o700, 0o755, 0o2775, 0o600)).map(
    ([at, mode]): Operation =>
      (root) =>
        chmodSync(join(root, at), mode),
  ),
);

/** Does what can be done of it, as a program in a container would. */
function perform(operations: readonly Operation[], root: string): void {
  for (const each of operations) {
    try {
      each(root);
    } catch {
      // The place was not there, or of another kind.
    }
  }
}

/** Times are cut to seconds on the way and folders change theirs when they are copied up. */
const withoutTimes = (tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree)
      .filter(([name]) => name !== '/')
      .map(([name, line]) => [name, line.replace(/^(\S+ \S+ \S+ \S+) \S+/, '$1')]),
  );

test('a layer made from an overlay shows the same tree when it is unpacked over the same layers', async () => {
  using folder = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 3, maxLength: 15 }),
      fc.array(operation, { maxLength: 15 }),
      async (first, second) => {
        const base = mkdtempSync(join(folder.path, 'run-'));
        const make = (name: string): string => {
          mkdirSync(join(base, name));
          return join(base, name);
        };
        const [lower, upper, again, copy] = [make('lower'), make('upper'), make('again'), make('copy')];
        const merged = make('merged');
        perform(first, lower);
        mountOverlay({ lower: [lower], upper, work: make('work1'), target: merged });
        perform(second, merged);
        const expected = withoutTimes(describeTree(merged));
        unmount(merged);
        const mounts = { lower: [lower], upper };
        const tar = Buffer.concat(
          (await Array.fromAsync(archiver.diffLayer({ mounts, signal }).stream)) as Buffer[],
        );
        await archiver.applyLayer(
          { stream: once(tar) },
          { mounts: { lower: [lower], upper: again }, signal },
        );
        mountOverlay({ lower: [lower], upper: again, work: make('work2'), target: merged });
        assert.deepEqual(withoutTimes(describeTree(merged)), expected);
        unmount(merged);
        await archiver.copyTree({ root: lower, target: copy, signal });
        await archiver.applyLayer(
          { stream: once(tar) },
          { mounts: { lower: [], upper: copy, base: lower }, signal },
        );
        assert.deepEqual(withoutTimes(describeTree(copy)), expected);
        await archiver.removeTree(base, { signal });
      },
    ),
    { numRuns: 60 },
  );
});
