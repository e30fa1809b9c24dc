import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  startDaemon,
  startRegistry,
  succeed,
  type Daemon,
  type Registry,
} from '../setup/index.ts';

let folder: string;
let registry: Registry;
/** A builder, and one that has never built anything. */
let first: Daemon;
let second: Daemon;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-cache-'));
  registry = await startRegistry();
  [first, second] = await Promise.all([startDaemon(), startDaemon()]);
  for (const daemon of [first, second]) await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, name);
  await mkdir(root, { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
  return root;
}

async function build(daemon: Daemon, root: string, ...flags: string[]): Promise<string> {
  const args = ['buildx', 'build', '--progress', 'plain', '--provenance=false', ...flags, root];
  const { code, stdout, stderr } = await daemon.docker(args);
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

/** Lines of steps, and which of them were not done again. */
function steps(output: string): { readonly done: readonly string[]; readonly cached: readonly string[] } {
  const names = new Map(
    [...output.matchAll(/^#(\d+) (\[(?!internal).*)$/gm)].map(([, number, name]) => [number, name ?? '']),
  );
  const numbers = (pattern: RegExp): readonly (string | undefined)[] =>
    [...output.matchAll(pattern)].map(([, number]) => number);
  // What is known at first may be needed later, and be done again.
  const isDone = new Set(numbers(/^#(\d+) DONE/gm));
  const isCached = new Set(numbers(/^#(\d+) CACHED$/gm).filter((number) => !isDone.has(number)));
  const all = [...names].filter(([, name]) => !/\] (?:FROM|load)/.test(name));
  return {
    done: all.filter(([number]) => !isCached.has(number)).map(([, name]) => name),
    cached: all.filter(([number]) => isCached.has(number)).map(([, name]) => name),
  };
}

async function prune(daemon: Daemon): Promise<void> {
  await answerOf(daemon.docker, ['builder', 'prune', '-af']);
  await answerOf(daemon.docker, ['image', 'prune', '-af']);
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
}

const dockerfile = `FROM busybox AS build
WORKDIR /src
COPY main .
RUN date +%s%N > made && echo "$(cat main)" >> made
FROM busybox
RUN date +%s%N > /own
COPY --from=build /src/made /made
CMD ["cat", "/made"]
`;

describe('a cache that others can use', () => {
  for (const mode of ['min', 'max']) {
    test(`mode=${mode} in a registry: every step is known to a builder that has built nothing`, async () => {
      const name = `registry-${mode}`;
      const root = await context(name, { Dockerfile: dockerfile, main: name });
      const ref = `${registry.address}/${name}:cache`;
      await build(first, root, '-t', name, '--cache-to', `type=registry,ref=${ref},mode=${mode}`);
      const output = await build(second, root, '-t', name, '--cache-from', ref);
      assert.match(output, new RegExp(`importing cache manifest from ${ref}`));
      assert.deepEqual(steps(output).done, [], output);
      assert.equal(steps(output).cached.length, 5);
      const id = ['image', 'inspect', '-f', '{{.RootFS.Layers}}', name];
      assert.equal(await answerOf(second.docker, id), await answerOf(first.docker, id));
      // One stage is done again: its step is, what others have made of the rest is not.
      await writeFile(join(root, 'Dockerfile'), `${dockerfile}RUN true\n`);
      const further = await build(second, root, '--cache-from', ref);
      assert.deepEqual(steps(further).done, ['[stage-1 4/4] RUN true']);
      await prune(second);
    });
  }

  test('of a cache with the layers of the result only, a stage that is needed is done again', async () => {
    const root = await context('needed', { Dockerfile: dockerfile, main: 'needed' });
    const ref = `${registry.address}/needed:cache`;
    await build(first, root, '--cache-to', `type=registry,ref=${ref},mode=min,image-manifest=false`);
    await writeFile(join(root, 'Dockerfile'), `${dockerfile}COPY --from=build /src/main /main\n`);
    const output = await build(second, root, '-t', 'needed', '--cache-from', `type=registry,ref=${ref}`);
    const { done } = steps(output);
    assert.ok(done.includes('[build 4/4] RUN date +%s%N > made && echo "$(cat main)" >> made'), output);
    assert.ok(done.includes('[stage-1 4/4] COPY --from=build /src/main /main'), output);
    assert.ok(!done.includes('[stage-1 2/4] RUN date +%s%N > /own'), output);
    assert.equal(await answerOf(second.docker, ['run', '--rm', 'needed', 'cat', '/main']), 'needed');
    await prune(second);
  });

  test('in a folder of the client, with what is in cache mounts where it is asked for', async () => {
    const text = `FROM busybox
RUN --mount=type=cache,target=/cache echo kept > /cache/file && date +%s%N > /made
`;
    const root = await context('local', { Dockerfile: text, main: 'local' });
    const dest = join(folder, 'local-cache');
    await build(first, root, '-t', 'local', '--cache-to', `type=local,dest=${dest},mode=max,mounts=true`);
    const index = JSON.parse(await readFile(join(dest, 'index.json'), 'utf8')) as { manifests: unknown[] };
    assert.equal(index.manifests.length, 1);
    assert.ok((await readdir(join(dest, 'blobs', 'sha256'))).length >= 4);
    const output = await build(second, root, '--cache-from', `type=local,src=${dest}`);
    assert.deepEqual(steps(output).done, [], output);
    // A new step finds what the other builder had in the cache.
    await writeFile(
      join(root, 'Dockerfile'),
      `${text}RUN --mount=type=cache,target=/cache cat /cache/file > /found\n`,
    );
    await build(second, root, '-t', 'local', '--cache-from', `type=local,src=${dest}`);
    assert.equal(await answerOf(second.docker, ['run', '--rm', 'local', 'cat', '/found']), 'kept');
    await prune(second);
  });

  test('in the image itself, for BuildKit’s clients and for the legacy one', async () => {
    const root = await context('inline', { Dockerfile: dockerfile, main: 'inline' });
    const ref = `${registry.address}/inline:1`;
    await build(first, root, '-t', ref, '--cache-to', 'type=inline', '--push');
    const output = await build(second, root, '--cache-from', ref);
    assert.deepEqual(steps(output).done, [], output);
    await prune(second);
    await answerOf(second.docker, ['pull', '-q', ref]);
    const legacy = await second.docker(['build', '--cache-from', ref, root], {
      env: { DOCKER_BUILDKIT: '0' },
    });
    assert.equal(legacy.code, 0, legacy.stderr);
    assert.equal(legacy.stdout.match(/Using cache/g)?.length, 5, legacy.stdout);
    await prune(second);
  });

  test('one that is not there, or of an unknown kind, is told', async () => {
    const root = await context('missing', { Dockerfile: 'FROM busybox\nRUN true\n' });
    const output = await build(first, root, '--cache-from', `${registry.address}/missing:cache`);
    assert.match(output, /importing cache manifest from .*missing:cache\n#\d+ ERROR: .*not found/);
    const gha = await first.docker([
      'buildx',
      'build',
      '--cache-to',
      'type=s3,region=x,bucket=y,access_key_id=a,secret_access_key=b',
      root,
    ]);
    assert.notEqual(gha.code, 0);
    assert.match(gha.stderr, /unknown cache exporter: "s3"/);
    const nowhere = `type=registry,ref=127.0.0.1:1/x,ignore-error=true`;
    await build(first, root, '--cache-to', nowhere);
  });
});

describe('what the cache holds', () => {
  const du = (daemon: Daemon, ...flags: string[]): Promise<string> =>
    answerOf(daemon.docker, ['buildx', 'du', ...flags]);

  test('du tells it, prune removes some of it or all', async () => {
    await prune(second);
    const root = await context('held', {
      Dockerfile: `FROM busybox
COPY main /
RUN --mount=type=cache,target=/root/.cache dd if=/dev/zero of=/root/.cache/x bs=1M count=2
RUN dd if=/dev/urandom of=/big bs=1M count=3
`,
      main: 'held',
    });
    await build(second, root);
    const verbose = await du(second, '--verbose');
    for (const type of ['regular', 'exec.cachemount', 'source.local']) {
      assert.match(verbose, new RegExp(`Type: +${type.replace('.', '\\.')}`));
    }
    assert.match(verbose, /Description: +\[2\/4\] COPY main \/|Description: +\[2\/4\] COPY/);
    assert.match(await du(second, '--filter', 'type=exec.cachemount'), /2\.\d+MB/);
    const listed = await answerOf(second.docker, ['system', 'df', '--format', '{{.Type}} {{.Size}}']);
    assert.match(listed, /Build Cache 2\.\d+MB/);
    assert.match(await answerOf(second.docker, ['system', 'df', '-v']), /exec\.cachemount/);
    // By kind, by age, by what may stay.
    const pruned = await answerOf(second.docker, [
      'buildx',
      'prune',
      '-f',
      '--filter',
      'type=exec.cachemount',
    ]);
    assert.match(pruned, /Total:\s+2\.\d+MB/);
    assert.match(
      await answerOf(second.docker, ['builder', 'prune', '-f', '--filter', 'until=24h']),
      /Total:\s+0B/,
    );
    assert.match(
      await answerOf(second.docker, ['buildx', 'prune', '-f', '--reserved-space', '100mb']),
      /Total:\s+0B/,
    );
    assert.deepEqual(steps(await build(second, root)).done, []);
    await answerOf(second.docker, ['buildx', 'prune', '-af']);
    assert.match(await du(second), /^Total:\s+0B$/m);
    assert.equal(steps(await build(second, root)).done.length, 3);
  });

  test('df is equal to du, with a cache of which images need some', async () => {
    const root = await context('equal', {
      Dockerfile: `FROM busybox
RUN dd if=/dev/urandom of=/one bs=1M count=2
RUN --mount=type=cache,target=/c dd if=/dev/urandom of=/c/two bs=1M count=2
RUN dd if=/dev/urandom of=/three bs=1M count=2
`,
    });
    await build(second, root, '-t', 'equal');
    await build(second, root, '--no-cache');
    const { body } = await second.get('/v1.52/system/df');
    const usage = JSON.parse(body) as Record<string, { TotalSize: number }> & {
      Wharf: { Records: number; Bin: { Volumes: number } };
    };
    const nouns = ['ImageUsage', 'ContainerUsage', 'VolumeUsage', 'BuildCacheUsage'];
    const total =
      nouns.reduce((sum, noun) => sum + (usage[noun]?.TotalSize ?? 0), 0) +
      usage.Wharf.Records +
      usage.Wharf.Bin.Volumes;
    const truth = Number.parseInt(await succeed('du', ['-sx', '--block-size=1', second.dataRoot]));
    assert.ok(Math.abs(total - truth) / truth < 0.01, `df says ${total}, du ${truth}: ${body}`);
    const { body: legacy } = await second.get('/v1.51/system/df?type=build-cache');
    const records = (JSON.parse(legacy) as { BuildCache: { Shared: boolean; Size: number }[] }).BuildCache;
    assert.ok(records.some(({ Shared }) => Shared));
    assert.equal(
      records.reduce((sum, { Shared, Size }) => sum + (Shared ? 0 : Size), 0),
      usage['BuildCacheUsage']?.TotalSize,
    );
  });
});
