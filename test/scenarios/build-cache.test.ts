import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  eventually,
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

async function fetchText(url: string): Promise<{ readonly body: string }> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  return { body: await (await fetch(url, { headers: { accept } })).text() };
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

  test('in a folder of our own command line', async () => {
    const root = await context('wharf-local', { Dockerfile: dockerfile, main: 'wharf' });
    const cache = join(folder, 'wharf-cache');
    const run = async (daemon: Daemon, ...flags: string[]): Promise<string> => {
      const { code, stdout, stderr } = await daemon.wharf(['build', '--progress', 'plain', ...flags, root]);
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };
    const flags = [`--cache-from=type=local,src=${cache}`, `--cache-to=type=local,dest=${cache},mode=max`];
    assert.match(await run(first, ...flags), /WARNING: local cache import at .* skipped: no digest found/);
    // What buildx reads.
    assert.deepEqual(steps(await build(second, root, '--cache-from', `type=local,src=${cache}`)).done, []);
    await prune(second);
    assert.deepEqual(steps(await run(second, ...flags)).done, []);
    assert.deepEqual(await readdir(join(cache, 'ingest')), []);
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

  test('what of it is gone is done again, and that is told', async () => {
    const root = await context('damaged', {
      Dockerfile: 'FROM busybox\nRUN date +%s%N > /one\nRUN date +%s%N > /two\n',
    });
    const ref = `${registry.address}/damaged:cache`;
    await build(first, root, '--cache-to', `type=registry,ref=${ref},mode=max`);
    const { body } = await fetchText(`http://${registry.address}/v2/damaged/manifests/cache`);
    const { layers } = JSON.parse(body) as { layers: { digest: string }[] };
    const hex = layers[1]?.digest.replace('sha256:', '') ?? '';
    await rm(join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'));
    const output = await build(second, root, '-t', 'damaged', '--cache-from', ref);
    assert.match(output, /the cache's layers cannot be had, the step is done again/);
    assert.deepEqual(steps(output).cached, []);
    assert.notEqual(await answerOf(second.docker, ['run', '--rm', 'damaged', 'cat', '/two']), '');
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
    for (const [query, message] of [
      ['filters={"until":["x"]}', /^failed to prune build cache: "until" filter expects a duration/],
      ['filters={"size":["x"]}', /^failed to prune build cache: invalid filter 'size'$/],
      ['filters={"until":["1h"],"unused-for":["1h"]}', /^failed to prune build cache: conflicting filters/],
      ['keep-storage=x', /^keep-storage is in bytes and expects an integer, got x/],
    ] as const) {
      const { status, body } = await second.call('POST', `/v1.51/build/prune?${encodeURI(query)}`);
      assert.equal(status, 400);
      assert.match((JSON.parse(body) as { message: string }).message, message);
    }
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

test('a collection that needs room takes all of it, and says so', async () => {
  await prune(second);
  const root = await context('collected', {
    Dockerfile: 'FROM busybox\nCOPY main /\nRUN --mount=type=cache,target=/c echo x | tee /c/x > /x\n',
    main: 'collected',
  });
  await build(second, root, '--output', `type=local,dest=${join(folder, 'collected-output')}`);
  const collected = async (...flags: string[]): Promise<string> =>
    answerOf(second.wharf, ['system', 'gc', '--free', '100t', ...flags]);
  assert.match(await collected('--explain'), /build cache.*COPY main \//);
  await collected();
  assert.match(await answerOf(second.docker, ['buildx', 'du']), /^Total:\s+0B$/m);
  assert.equal(steps(await build(second, root)).done.length, 2);
});

describe('RUN --mount=type=cache', () => {
  /** A Dockerfile of one command with these mounts of a cache, which is a step of its own for each name. */
  const command = (mount: string, script: string): string =>
    `FROM busybox\nARG WHO\nRUN --mount=type=cache,target=/c,${mount} ${script}\n`;
  const atOnce = async (mount: string, script: string): Promise<readonly string[]> => {
    const root = await context(`mount-${mount}`, { Dockerfile: command(mount, script) });
    return Promise.all(['a', 'b'].map((who) => build(first, root, '--build-arg', `WHO=${who}`)));
  };

  test('commands that share a cache see each other; locked ones wait; private ones have their own', async () => {
    const meet =
      'touch /c/$WHO; for i in $(seq 100); do [ -e /c/a ] && [ -e /c/b ] && exit 0; sleep 0.1; done; exit 9';
    await atOnce('id=shared', meet);
    const alone = '[ ! -e /c/busy ] && touch /c/busy && sleep 0.3 && rm /c/busy && echo $WHO >> /c/done';
    await atOnce('id=locked,sharing=locked', alone);
    const both = await context('both', { Dockerfile: command('id=locked', '[ "$(wc -l < /c/done)" = 2 ]') });
    await build(first, both);
    await atOnce('id=private,sharing=private', '[ ! -e /c/busy ] && touch /c/busy && sleep 1 && rm /c/busy');
  });

  test('it has the owner and mode asked for, begins with what it is from, and can be read only', async () => {
    const root = await context('owned', {
      Dockerfile: `FROM busybox AS seed
RUN mkdir /seed && echo sown > /seed/file
FROM busybox
RUN --mount=type=cache,target=/owned,uid=7,gid=8,mode=0710 stat -c '%u %g %a' /owned > /owner
RUN --mount=type=cache,target=/grown,from=seed,source=/seed cat /grown/file > /file && echo grown > /grown/file
RUN --mount=type=cache,target=/grown,from=seed,source=/seed,readonly cat /grown/file >> /file; ! touch /grown/x
`,
    });
    await build(first, root, '-t', 'owned');
    assert.equal(
      await answerOf(first.docker, ['run', '--rm', 'owned', 'cat', '/owner', '/file']),
      '7 8 710\nsown\ngrown',
    );
  });

  test('it outlives a kill of the daemon in the middle of a command', async () => {
    const script = 'echo kept >> /c/file; while [ ! -e /c/go ]; do sleep 0.1; done';
    const root = await context('killed', { Dockerfile: command('id=killed', script) });
    const building = first.docker(['buildx', 'build', root]);
    const caches = join(first.dataRoot, 'build', 'caches');
    const files = async (): Promise<readonly string[]> =>
      (await readdir(caches, { recursive: true })).filter((path) => path.endsWith('/file'));
    const before = (await files()).length;
    await eventually(async () => (await files()).length > before);
    await first.kill9();
    assert.notEqual((await building).code, 0);
    await first.start();
    await writeFile(join(root, 'Dockerfile'), command('id=killed', 'cp /c/file /found && rm /c/file'));
    await build(first, root, '-t', 'killed');
    assert.equal(await answerOf(first.docker, ['run', '--rm', 'killed', 'cat', '/found']), 'kept');
  });
});

describe('what is done again', () => {
  const text = `FROM busybox AS one
ARG UNUSED
ARG USED=1
RUN --mount=type=secret,id=token true && echo $USED > /used
FROM busybox
ENV NAME=first
RUN echo $NAME > /name
COPY --from=one /used /used
`;
  const run = { one: /RUN --mount/, name: /> \/name/ };
  const did = (output: string, step: RegExp): boolean => steps(output).done.some((each) => step.test(each));

  test('a step is, when something that it uses has changed, and else it is not', async () => {
    const root = await context('changes', { Dockerfile: text });
    const secret = join(folder, 'token');
    const asked = async (...flags: string[]): Promise<{ one: boolean; name: boolean }> => {
      const output = await build(first, root, '--secret', `id=token,src=${secret}`, ...flags);
      return { one: did(output, run.one), name: did(output, run.name) };
    };
    await writeFile(secret, 'first');
    assert.deepEqual(await asked(), { one: true, name: true });
    const neither = { one: false, name: false };
    assert.deepEqual(await asked(), neither);
    assert.deepEqual(await asked('--build-arg', 'UNKNOWN=x'), neither);
    await writeFile(secret, 'second');
    assert.deepEqual(await asked(), neither);
    assert.deepEqual(await asked('--build-arg', 'USED=2'), { one: true, name: false });
    assert.deepEqual(await asked('--no-cache-filter', 'one'), { one: true, name: false });
    assert.deepEqual(await asked('--no-cache'), { one: true, name: true });
    await writeFile(join(root, 'Dockerfile'), text.replace('NAME=first', 'NAME=second'));
    assert.deepEqual(await asked(), { one: false, name: true });
  });

  test('a base image that has changed counts when it is asked for again', async () => {
    const base = `${registry.address}/base:1`;
    const publish = async (content: string): Promise<void> => {
      const root = await context('base', { Dockerfile: `FROM busybox\nRUN echo ${content} > /base\n` });
      await build(first, root, '-t', base, '--push');
    };
    const root = await context('on-base', { Dockerfile: `FROM ${base}\nRUN cat /base > /copy\n` });
    const isDone = async (...flags: string[]): Promise<boolean> =>
      did(await build(second, root, '-t', 'on-base', ...flags), /RUN cat/);
    await publish('old');
    assert.equal(await isDone(), true);
    await publish('new');
    assert.equal(await isDone(), false);
    assert.equal(await isDone('--pull'), true);
    assert.equal(await answerOf(second.docker, ['run', '--rm', 'on-base', 'cat', '/copy']), 'new');
    assert.equal(await isDone('--pull'), false);
  });

  test('what builder.gc says is too much is removed by itself', async () => {
    const config = { builder: { gc: { enabled: false } as object } };
    await using daemon = await startDaemon({ config });
    await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
    const root = await context('gc', {
      Dockerfile: 'FROM busybox\nRUN true > /made\nRUN --mount=type=cache,target=/c true > /c/x\n',
    });
    await build(daemon, root, '--output', `type=local,dest=${join(folder, 'gc-output')}`);
    config.builder.gc = { policy: [{ filter: ['type=exec.cachemount'] }, { maxUsedSpace: '1kb' }] };
    await daemon.restart();
    await eventually(async () => /^Total:\s+0B$/m.test(await answerOf(daemon.docker, ['buildx', 'du'])));
    assert.match(await daemon.log(), /removed from the build cache/);
  });
});
