import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text as readAll } from 'node:stream/consumers';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  startDaemon,
  startRegistry,
  startSourceServer,
  succeed,
  type Daemon,
} from '../setup/index.ts';

let daemon: Daemon;
let folder: string;
let context: string;

const dockerfile = `FROM busybox AS base
ARG WHO=world
ARG BUILDKIT_SBOM_SCAN_STAGE=true
RUN mkdir -p /usr/lib/node_modules/leftpad && \\
  echo '{"name":"leftpad","version":"1.2.3","license":"MIT"}' > /usr/lib/node_modules/leftpad/package.json
FROM scratch
COPY --from=base /usr/lib/node_modules/leftpad /app/node_modules/leftpad
COPY status /var/lib/dpkg/status
COPY data /data
`;

const status = `Package: tool
Status: install ok installed
Maintainer: Someone <someone@example.com>
Architecture: amd64
Version: 1.0-2
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-attestations-'));
  context = join(folder, 'context');
  await mkdir(context);
  for (const [name, text] of [
    ['Dockerfile', dockerfile],
    ['status', status],
    ['data', 'x'],
  ] as const) {
    await writeFile(join(context, name), text);
  }
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function build(...flags: string[]): Promise<string> {
  const { code, stderr } = await daemon.docker([
    ...['buildx', 'build', '--progress', 'plain', ...flags, context],
  ]);
  assert.equal(code, 0, stderr);
  return stderr;
}

type Json = Readonly<Record<string, unknown>>;

/** What a client prints as JSON; its shape is what the tests check. */
const parsed = (text: string): Json => JSON.parse(text) as Json;

const statement = async (path: string): Promise<Json> => parsed(await readFile(join(folder, path), 'utf8'));

test('an image says how it was built and what is in it, also after its way through a registry', async () => {
  await using registry = await startRegistry();
  const name = `${registry.address}/team/attested:1`;
  await build('-t', name, '--push', '--sbom=true', '--provenance=mode=max', '--build-arg', 'WHO=me');
  const inspect = async (format: string): Promise<Json> =>
    parsed(await answerOf(daemon.docker, ['buildx', 'imagetools', 'inspect', name, '--format', format]));
  const { SLSA } = await inspect('{{json .Provenance}}');
  const { buildType, materials, invocation, buildConfig } = SLSA as Json;
  assert.equal(buildType, 'https://mobyproject.org/buildkit@v1');
  const [busybox, ...others] = materials as Json[];
  assert.equal(busybox?.['uri'], 'pkg:docker/busybox@latest?platform=linux%2Famd64');
  assert.deepEqual(others, []);
  assert.deepEqual(((invocation as Json)['parameters'] as Json)['args'], { 'build-arg:WHO': 'me' });
  assert.equal(((buildConfig as Json)['llbDefinition'] as unknown[]).length, 7);
  const { SPDX } = await inspect('{{json .SBOM}}');
  const packages = (SPDX as Json)['packages'] as Json[];
  assert.deepEqual(
    packages.map((one) => `${String(one['name'])} ${String(one['versionInfo'])}`),
    ['sbom undefined', 'tool 1.0-2', 'leftpad 1.2.3'],
  );
});

test('files have their statements among them', async () => {
  const flags = ['--sbom=true', '--provenance=mode=min,version=v1', '--build-arg', 'WHO=me'];
  await build('-o', `type=local,dest=${join(folder, 'files')},attestation-prefix=about-`, ...flags);
  const provenance = await statement('files/about-provenance.json');
  assert.equal(provenance['predicateType'], 'https://slsa.dev/provenance/v1');
  const hash = createHash('sha256').update('x').digest('hex');
  const subjects = provenance['subject'] as Json[];
  assert.deepEqual(subjects[1], { name: 'data', digest: { sha256: hash } });
  assert.doesNotMatch(JSON.stringify(provenance), /WHO/);
  assert.equal((await statement('files/about-sbom.spdx.json'))['predicateType'], 'https://spdx.dev/Document');
  const stage = JSON.stringify(await statement('files/about-sbom-base.spdx.json'));
  assert.match(stage, /usr\/lib\/node_modules\/leftpad\/package\.json/);
  const archive = join(folder, 'files.tar');
  await build(
    '-o',
    `type=tar,dest=${archive}`,
    '--attest',
    'type=sbom,format=cyclonedx',
    '--provenance=false',
  );
  const stdout = await succeed('tar', ['-xOf', archive, 'sbom.cdx.json']);
  assert.match(stdout, /"bomFormat": "CycloneDX"/);
  // What is said by default belongs to images only.
  await build('-o', `type=local,dest=${join(folder, 'plain')}`);
  assert.deepEqual((await readdir(join(folder, 'plain'))).sort(), ['app', 'data', 'var']);
});

test('a scanner in an image is refused by its name', async () => {
  const { code, stderr } = await daemon.docker([
    ...['buildx', 'build', '--attest', 'type=sbom,generator=example.com/scanner:1', context],
  ]);
  assert.notEqual(code, 0);
  assert.match(stderr, /the SBOM generator example\.com\/scanner:1 is not supported/);
});

/** What the engine answers. */
async function answered(path: string): Promise<unknown> {
  const sent = request({ socketPath: daemon.socket, path, agent: false }).end();
  // The event's only argument.
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return JSON.parse(await readAll(response)) as unknown;
}

test('an image has what was asked to be said, and the engine tells it', async () => {
  const path = '/images/plain/attestations';
  // What is said by default goes along with a push only.
  await build('-t', 'plain', '--label', 'an=own');
  assert.deepEqual(await answered(path), []);
  await build('-t', 'plain', '--label', 'an=own', '--provenance=mode=min');
  const [only, ...others] = (await answered(`${path}?statement=true`)) as Json[];
  assert.deepEqual(others, []);
  assert.equal(only?.['PredicateType'], 'https://slsa.dev/provenance/v0.2');
  const { predicate, subject } = only['Statement'] as Json;
  assert.equal((predicate as Json)['buildConfig'], undefined);
  assert.match(JSON.stringify(subject), /pkg:docker\/plain@latest\?platform=linux%2Famd64/);
  const [short] = (await answered(path)) as Json[];
  assert.deepEqual(Object.keys(short ?? {}), ['Descriptor', 'PredicateType']);
  assert.deepEqual(await answered(`${path}?type=https://spdx.dev/Document`), []);
  assert.deepEqual(await answered('/images/busybox/attestations'), []);
});

test('what was taken from elsewhere is named with what it was', async () => {
  await using server = await startSourceServer();
  server.files.set('/file', { content: 'from elsewhere' });
  const work = join(folder, 'work');
  await mkdir(work);
  await writeFile(join(work, 'Dockerfile'), `FROM scratch\nADD ${server.url}/file /file\nCOPY own /own\n`);
  await writeFile(join(work, 'own'), 'x');
  const git = (...args: string[]): Promise<string> =>
    succeed('git', ['-C', work, '-c', 'user.name=n', '-c', 'user.email=e', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '--message=one');
  await git('clone', '--quiet', '--bare', '.', join(server.repositories, 'repo.git'));
  const uri = `${server.url}/repo.git#main`;
  const { code, stderr } = await daemon.docker([
    ...['buildx', 'build', '--provenance=mode=max', '-o', `type=local,dest=${join(folder, 'remote')}`, uri],
  ]);
  assert.equal(code, 0, stderr);
  const { predicate } = await statement('remote/provenance.json');
  const { materials, invocation, metadata } = predicate as Json;
  const commit = { uri, digest: { sha1: await git('rev-parse', 'HEAD') } };
  const sha256 = createHash('sha256').update('from elsewhere').digest('hex');
  assert.deepEqual(materials, [commit, { uri: `${server.url}/file`, digest: { sha256 } }]);
  assert.deepEqual((invocation as Json)['configSource'], { ...commit, entryPoint: 'Dockerfile' });
  assert.equal((metadata as Json)['https://mobyproject.org/buildkit@v1#hermetic'], true);
});

const history = (...words: string[]): Promise<string> =>
  answerOf(daemon.docker, ['buildx', 'history', ...words]);

test('builds are remembered, with their logs and how they came to be', async () => {
  await answerOf(daemon.docker, ['buildx', 'history', 'rm', '--all']);
  await build('-t', 'remembered', '--metadata-file', join(folder, 'metadata'), '--build-arg', 'WHO=me');
  const failing = join(folder, 'Failing');
  await writeFile(failing, 'FROM busybox\nRUN echo to be seen; exit 7\n');
  const { code } = await daemon.docker(['buildx', 'build', '-f', failing, context]);
  assert.notEqual(code, 0);
  assert.equal((await history('ls')).trim().split('\n').length, 3);
  assert.match(await history('ls', '--filter', 'status=error'), /Error/);
  // The newest is the one that failed.
  assert.match(await history('inspect'), /Failing:2[^]*>>> RUN echo to be seen/);
  assert.match((await daemon.docker(['buildx', 'history', 'logs'])).stderr, /to be seen/);
  // The one before it.
  const inspected = parsed(await history('inspect', '^1', '--format', 'json'));
  assert.deepEqual(inspected['BuildArgs'], [{ Name: 'WHO', Value: 'me' }]);
  assert.equal(inspected['NumCompletedSteps'], inspected['NumTotalSteps']);
  const provenance = await history(
    'inspect',
    'attachment',
    '^1',
    '--type',
    'https://slsa.dev/provenance/v0.2',
  );
  assert.equal(parsed(provenance)['buildType'], 'https://mobyproject.org/buildkit@v1');
  const manifest = await history('inspect', 'attachment', '^1', '--platform', 'linux/amd64');
  assert.equal((parsed(manifest)['layers'] as unknown[]).length, 3);
  assert.ok('buildx.build.provenance' in (await statement('metadata')));
  const bundle = join(folder, 'bundle.dockerbuild');
  await history('export', '-o', bundle, '--all');
  assert.match(await succeed('tar', ['-tf', bundle]), /blobs\/sha256\//);
});

test('what is remembered is there for the next daemon, until it is removed', async () => {
  await daemon.restart();
  assert.match((await daemon.docker(['buildx', 'history', 'logs', '^1'])).stderr, /COPY data \/data/);
  await history('rm', '--all');
  assert.equal((await history('ls')).trim().split('\n').length, 1);
  const { code, stderr } = await daemon.docker(['buildx', 'history', 'rm', 'nosuch']);
  assert.notEqual(code, 0);
  assert.match(stderr, /no build record with the ref nosuch/);
});
