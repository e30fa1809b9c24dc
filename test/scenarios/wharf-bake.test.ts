import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';

let daemon: Daemon;
let folder: string;

const definitions = `
variable "TAG" { default = "1" }
group "default" { targets = ["app", "tools"] }
target "base" {
  context = "base"
  args = { WORD = "base-\${TAG}" }
}
target "middle" {
  contexts = { base = "target:base" }
  dockerfile-inline = <<EOT
FROM base
RUN cat /word > /middle && echo middle >> /middle
EOT
}
target "app" {
  contexts = { middle = "target:middle", other = "target:base" }
  dockerfile-inline = <<EOT
FROM middle
COPY --from=other /word /copied
CMD ["cat", "/middle", "/copied"]
EOT
  tags = ["bake-app:\${TAG}"]
}
target "tools" {
  dockerfile-inline = "FROM busybox\\nRUN echo tools > /tools\\n"
  output = ["type=local,dest=out"]
}
target "both" {
  dockerfile-inline = "FROM scratch\\nARG TARGETARCH\\nCOPY base/Dockerfile /file-$TARGETARCH\\n"
  platforms = ["linux/amd64", "linux/arm64"]
}
target "above" {
  contexts = { both = "target:both" }
  dockerfile-inline = "FROM both\\n"
  platforms = ["linux/amd64", "linux/arm64"]
  output = ["type=local,dest=platforms"]
}
target "broken" {
  dockerfile-inline = "FROM busybox\\nRUN exit 3\\n"
}
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-bake-'));
  await mkdir(join(folder, 'base'));
  await writeFile(
    join(folder, 'base/Dockerfile'),
    'FROM busybox\nARG WORD\nENV FROM_BASE=yes\nRUN echo $WORD > /word\n',
  );
  await writeFile(join(folder, 'docker-bake.hcl'), definitions);
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Bakes three linked targets and a folder, and looks at what came of them. */
async function bakesLinkedTargets(
  run: Daemon['docker'],
  tag: string,
  command: readonly string[],
): Promise<void> {
  const metadata = join(folder, `metadata-${tag}.json`);
  const args = [...command, '--progress=plain', `--metadata-file=${metadata}`];
  await answerOf(run, args, { cwd: folder, env: { TAG: tag } });
  const said = await answerOf(daemon.docker, ['run', '--rm', `bake-app:${tag}`]);
  assert.equal(said, `base-${tag}\nmiddle\nbase-${tag}`);
  const environment = await answerOf(daemon.docker, ['inspect', '-f', '{{.Config.Env}}', `bake-app:${tag}`]);
  assert.match(environment, /FROM_BASE=yes/);
  assert.equal(await readFile(join(folder, 'out/tools'), 'utf8'), 'tools\n');
  await rm(join(folder, 'out'), { recursive: true });
  const known = JSON.parse(await readFile(metadata, 'utf8')) as Record<string, Record<string, string>>;
  assert.ok(known['app']?.['image.name']?.includes(`bake-app:${tag}`));
}

test('wharf bake builds targets that are linked, and puts out others', async () => {
  await bakesLinkedTargets(daemon.wharf, 'ours', ['bake']);
});

test('docker buildx bake does so unmodified', async () => {
  await bakesLinkedTargets(daemon.docker, 'theirs', ['buildx', 'bake']);
});

test('wharf bake links targets of several platforms', async () => {
  await answerOf(daemon.wharf, ['bake', '--progress=plain', 'above'], { cwd: folder });
  for (const architecture of ['amd64', 'arm64']) {
    await readFile(join(folder, `platforms/linux_${architecture}/file-${architecture}`));
  }
});

test('wharf bake says which target failed, and gives the others up', async () => {
  const { code, stderr } = await daemon.wharf(['buildx', 'bake', '--progress=plain', 'broken', 'tools'], {
    cwd: folder,
  });
  assert.equal(code, 1);
  assert.match(stderr, /\[broken 2\/2\] RUN exit 3/);
  assert.match(stderr, /did not complete successfully: exit code: 3/);
});

test('wharf bake asks before it leaves its folder', async () => {
  const { code, stderr } = await daemon.wharf(
    ['bake', '--set=tools.output=type=local,dest=/tmp/x', '--set=tools.context=/etc', 'tools'],
    { cwd: folder },
  );
  assert.equal(code, 1);
  assert.match(stderr, /Read access to path \/etc/);
  assert.doesNotMatch(stderr, /Write access/);
});

const withoutAges = (text: string): string => text.replaceAll(/(About a|Less than a|\d+) [a-z]+ ago/g, 'ago');

test('wharf bake --check answers for each target as docker buildx bake does', async () => {
  const args = ['bake', '--check', '--progress=plain', 'broken', 'base'];
  const ours = await daemon.wharf(args, { cwd: folder });
  const theirs = await daemon.docker(['buildx', ...args], { cwd: folder });
  assert.equal(ours.stdout, theirs.stdout);
  assert.equal(ours.code, theirs.code);
});

test('wharf buildx du and ls say what docker buildx says, prune empties the cache', async () => {
  for (const words of [['du'], ['du', '--verbose'], ['du', '--format=json'], ['ls'], ['ls', '--no-trunc']]) {
    const ours = await answerOf(daemon.wharf, ['buildx', ...words]);
    const theirs = await answerOf(daemon.docker, ['buildx', ...words]);
    assert.equal(withoutAges(ours), withoutAges(theirs), words.join(' '));
  }
  const pruned = await answerOf(daemon.wharf, ['builder', 'prune', '--all', '--force']);
  assert.match(pruned, /^ID .*LAST ACCESSED\n[^]*\nTotal:\t[1-9.]+[kM]?B$/);
  assert.match(await answerOf(daemon.wharf, ['builder', 'du']), /Total:\t\t0B$/);
});

test('wharf buildx history tells of builds, and forgets them', async () => {
  await daemon.wharf(['bake', '--progress=quiet', 'broken'], { cwd: folder });
  const list = await answerOf(daemon.wharf, ['buildx', 'history', 'ls']);
  assert.match(list, /^BUILD ID .*\n\w+ .* Error /);
  assert.match(await answerOf(daemon.wharf, ['buildx', 'history', 'inspect']), /Error: .* exit code: 3/);
  assert.match(await answerOf(daemon.wharf, ['buildx', 'history', 'logs']), /\[2\/2\] RUN exit 3/);
  await answerOf(daemon.wharf, ['buildx', 'history', 'rm', '--all']);
  assert.doesNotMatch(await answerOf(daemon.wharf, ['buildx', 'history', 'ls']), /\n/);
});
