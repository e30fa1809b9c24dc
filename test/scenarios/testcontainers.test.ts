/** Testcontainers for Node as it comes from npm, without its reaper: the flows of its documentation. */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type * as Testcontainers from 'testcontainers';
import type { GenericContainer, StartedTestContainer } from 'testcontainers';
import { busyboxArchive, eventually, freePort, startDaemon, succeed, type Daemon } from '../setup/index.ts';

let daemon: Daemon;
let folder: string;
/** Loaded once the engine is there: it reads the environment. */
let library: typeof Testcontainers;

before(async () => {
  daemon = await startDaemon();
  folder = await mkdtemp(join(tmpdir(), 'wharf-scenario-'));
  process.env['DOCKER_HOST'] = daemon.host;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  // Else it would take a bridge's address where the tests themselves run in a container.
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';
  process.env['DOCKER_CONFIG'] = folder;
  library = await import('testcontainers');
  assert.equal((await daemon.docker(['load', '-q', '-i', await busyboxArchive()])).code, 0);
});
after(async () => {
  await rm(folder, { recursive: true });
  await daemon[Symbol.asyncDispose]();
});

const busybox = (...command: string[]): GenericContainer =>
  new library.GenericContainer('busybox:latest').withCommand(command);

const shell = (script: string): GenericContainer => busybox('sh', '-c', script);

const web = (): GenericContainer =>
  busybox('httpd', '-f', '-v', '-p', '8080', '-h', '/www')
    .withCopyContentToContainer([{ content: 'hello from inside', target: '/www/index.html' }])
    .withExposedPorts(8080);

async function page(container: StartedTestContainer): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${container.getMappedPort(8080)}/`);
  return response.text();
}

async function inspect(container: StartedTestContainer, format: string): Promise<string> {
  return (await daemon.docker(['inspect', '-f', format, container.getId()])).stdout.trim();
}

async function assertGone(container: StartedTestContainer): Promise<void> {
  assert.equal((await daemon.get(`/containers/${container.getId()}/json`)).status, 404);
}

test('the library finds the engine', async () => {
  const client = await library.getContainerRuntimeClient();
  assert.equal(client.info.containerRuntime.host, '127.0.0.1');
  assert.match(String(client.info.containerRuntime.serverVersion), /\d+\.\d+/);
});

test('a listening port is waited for, mapped, and gone after stop', async () => {
  const container = await web().withWaitStrategy(library.Wait.forListeningPorts()).start();
  assert.equal(await page(container), 'hello from inside');
  const port = container.getFirstMappedPort();
  assert.equal(container.getMappedPort('8080/tcp'), port);
  await container.stop();
  await assertGone(container);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
});

test('the default wait strategy serves a container with ports and one without', async () => {
  await using withPort = await web().start();
  assert.equal(await page(withPort), 'hello from inside');
  await using without = await busybox('sleep', '1000').start();
  assert.equal(await inspect(without, '{{.State.Running}}'), 'true');
});

test('log messages are waited for: once, several times, by pattern', async () => {
  const script = 'echo starting; for i in 1 2 3; do sleep 0.2; echo ready $i >&2; done; sleep 1000';
  const { Wait } = library;
  for (const wait of [Wait.forLogMessage('ready 3'), Wait.forLogMessage(/ready \d/, 3)]) {
    await using container = await shell(script).withWaitStrategy(wait).start();
    const { stdout, stderr } = await daemon.docker(['logs', container.getId()]);
    assert.deepEqual([stdout, stderr], ['starting\n', 'ready 1\nready 2\nready 3\n']);
  }
});

test('a health check is waited for', async () => {
  const healthy = shell('sleep 0.5; touch /ready; sleep 1000')
    .withHealthCheck({ test: ['CMD-SHELL', 'test -e /ready'], interval: 200, timeout: 1000, retries: 20 })
    .withWaitStrategy(library.Wait.forHealthCheck());
  await using container = await healthy.start();
  assert.equal(await inspect(container, '{{.State.Health.Status}}'), 'healthy');
  const sick = busybox('sleep', '1000')
    .withHealthCheck({ test: ['CMD', 'false'], interval: 100, timeout: 1000, retries: 2 })
    .withWaitStrategy(library.Wait.forHealthCheck());
  await assert.rejects(sick.start(), /unhealthy/);
});

test('HTTP, a command and several strategies at once are waited for', async () => {
  const { Wait } = library;
  const all = [
    Wait.forHttp('/index.html', 8080)
      .forStatusCode(200)
      .forResponsePredicate((body) => body.includes('hello')),
    Wait.forSuccessfulCommand('test -e /www/index.html'),
    Wait.forListeningPorts(),
  ];
  await using container = await web().withWaitStrategy(Wait.forAll(all)).start();
  assert.equal(await page(container), 'hello from inside');
});

test('a one-shot container is waited for until it ends, and its failure is told', async () => {
  const once = await shell('echo done').withWaitStrategy(library.Wait.forOneShotStartup()).start();
  assert.equal(await inspect(once, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 0');
  await once.stop();
  const failing = shell('exit 3').withWaitStrategy(library.Wait.forOneShotStartup());
  await assert.rejects(failing.start(), /exit|start/i);
});

test('a start that never gets ready fails in time and removes the container', async () => {
  const waiting = shell('echo something else; sleep 1000')
    .withName('never-ready')
    .withStartupTimeout(700)
    .withWaitStrategy(library.Wait.forLogMessage('ready'));
  await assert.rejects(waiting.start(), /not received after 700ms/);
  const ending = shell('echo over; exit 4').withWaitStrategy(library.Wait.forLogMessage('ready'));
  await assert.rejects(ending.start(), /Log stream ended|not received/);
  await daemon.docker(['rm', '-f', 'never-ready']);
  await assert.rejects(busybox('no-such-program').start(), /no-such-program.*not found/);
});

test('files, folders, contents and archives are copied in and out', async () => {
  const file = join(folder, 'file.txt');
  await writeFile(file, 'from a file\n');
  const archive = join(folder, 'archive.tar');
  await succeed('tar', ['-C', folder, '-cf', archive, 'file.txt']);
  await using container = await busybox('sleep', '1000')
    .withCopyFilesToContainer([{ source: file, target: '/in/file.txt', mode: 0o640 }])
    .withCopyDirectoriesToContainer([{ source: folder, target: '/in/folder' }])
    .withCopyContentToContainer([{ content: 'text\n', target: '/in/content.txt', mode: 0o755 }])
    .withCopyArchivesToContainer([{ tar: createReadStream(archive), target: '/tmp' }])
    .start();
  const listing = await container.exec([
    'stat',
    '-c',
    '%a %n',
    '/in/file.txt',
    '/in/content.txt',
    '/in/folder/file.txt',
  ]);
  assert.equal(listing.output, '640 /in/file.txt\n755 /in/content.txt\n644 /in/folder/file.txt\n');
  assert.equal(
    (await container.exec(['cat', '/in/file.txt', '/tmp/file.txt'])).output,
    'from a file\n'.repeat(2),
  );

  await container.copyContentToContainer([{ content: Buffer.from('later'), target: '/in/later' }]);
  await container.copyFilesToContainer([{ source: file, target: '/in/again' }]);
  await container.copyArchiveToContainer(createReadStream(archive), '/home');
  assert.equal((await container.exec('cat /in/later /in/again /home/file.txt')).exitCode, 0);

  const packed = join(folder, 'out.tar');
  await writeFile(packed, await container.copyArchiveFromContainer('/in'));
  assert.equal(await succeed('tar', ['-xOf', packed, 'in/content.txt']), 'text');
  await assert.rejects(container.copyArchiveFromContainer('/missing'), { statusCode: 404 });
});

test('exec tells output, its streams and the exit code, with user, folder and environment', async () => {
  await using container = await busybox('sleep', '1000').withEnvironment({ BASE: 'base' }).start();
  const { output, stdout, stderr, exitCode } = await container.exec([
    'sh',
    '-c',
    'echo out; echo err >&2; exit 7',
  ]);
  assert.deepEqual([stdout, stderr, exitCode, output.length], ['out\n', 'err\n', 7, 8]);
  const placed = await container.exec(['sh', '-c', 'echo $BASE $MORE $(pwd) $(id -un)'], {
    workingDir: '/var',
    user: 'nobody',
    env: { MORE: 'more' },
  });
  assert.equal(placed.output, 'base more /var nobody\n');
  assert.equal((await container.exec('no-such-program')).exitCode, 127);
});

test('networks join containers by name and alias, and go away', async () => {
  const network = await new library.Network().start();
  await using server = await web().withNetwork(network).withNetworkAliases('server', 'other').start();
  await using caller = await busybox('sleep', '1000').withNetwork(network).start();
  for (const name of ['server', 'other', server.getName().slice(1)]) {
    const { output } = await caller.exec(['sh', '-c', `nslookup -type=a ${name}`]);
    assert.match(output, new RegExp(server.getIpAddress(network.getName())));
  }
  const request = ['sh', '-c', 'printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc server 8080'];
  assert.match((await caller.exec(request)).output, /hello from inside/);
  assert.ok(server.getNetworkNames().includes(network.getName()));
  assert.equal(server.getNetworkId(network.getName()), network.getId());
  await caller.stop();
  await server.stop();
  await network.stop();
  assert.equal((await daemon.get(`/networks/${network.getId()}`)).status, 404);
});

test('logs are streamed to a consumer and on request', async () => {
  const lines: string[] = [];
  await using container = await shell('for i in 1 2 3 4 5; do echo line $i; sleep 0.1; done; sleep 1000')
    .withLogConsumer((stream) => stream.on('data', (line: string) => lines.push(line)))
    .start();
  await eventually(() => lines.join('') === 'line 1\nline 2\nline 3\nline 4\nline 5\n');
  const stream = await container.logs({ tail: 2 });
  const first = await new Promise<string>((resolve) => stream.once('data', resolve));
  assert.match(first, /^line 4\n/);
  stream.destroy();
});

test('options reach the container', async () => {
  await using container = await new library.GenericContainer('busybox')
    .withEntrypoint(['sh', '-c', 'echo $0 $1; exec sleep 1000'])
    .withCommand(['first', 'second'])
    .withUser('1000:1000')
    .withTmpFs({ '/scratch': 'rw,size=1m,mode=1777' })
    .withUlimits({ nofile: { soft: 321, hard: 654 } })
    .withAddedCapabilities('NET_ADMIN')
    .withDroppedCapabilities('NET_RAW', 'CHOWN')
    .withHostname('a-host')
    .withExtraHosts([{ host: 'extra', ipAddress: '198.51.100.7' }])
    .withWorkingDir('/new/folder')
    .withLabels({ mine: 'yes' })
    .withSharedMemorySize(2 ** 20)
    .withResourcesQuota({ memory: 0.0625, cpu: 0.5 })
    .withBindMounts([{ source: folder, target: '/bound', mode: 'ro' }])
    .withIpcMode('private')
    .withSecurityOpt('no-new-privileges')
    .withDefaultLogDriver()
    .withWaitStrategy(library.Wait.forLogMessage('first second'))
    .start();
  const script = `id -u; id -g; ulimit -n; ulimit -Hn; hostname; pwd; grep extra /etc/hosts; df -k /scratch /dev/shm | awk '{print $2}';
    grep -E "CapBnd|NoNewPrivs" /proc/1/status; grep /bound /proc/mounts | grep -o ' ro,'`;
  const { output } = await container.exec(['sh', '-c', script]);
  assert.deepEqual(output.trim().split('\n'), [
    '1000',
    '1000',
    '321',
    '654',
    'a-host',
    '/new/folder',
    '198.51.100.7\textra',
    '1K-blocks',
    '1024',
    '1024',
    'CapBnd:\t00000000a80415fa',
    'NoNewPrivs:\t1',
    ' ro,',
  ]);
  assert.equal(
    await inspect(container, '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}'),
    '67108864 500000000',
  );
  assert.equal(container.getLabels()['mine'], 'yes');
});

test('a container is reused by the same description, and started again when it has stopped', async () => {
  const describe = (): GenericContainer =>
    web().withName('reused').withReuse().withWaitStrategy(library.Wait.forListeningPorts());
  const first = await describe().start();
  const second = await describe().start();
  assert.equal(second.getId(), first.getId());
  await daemon.docker(['stop', '-t', '0', first.getId()]);
  const third = await describe().start();
  assert.equal(third.getId(), first.getId());
  assert.equal(await page(third), 'hello from inside');
  await third.stop();
});

test('restart keeps the container, stop without remove keeps its files', async () => {
  const container = await web().withWaitStrategy(library.Wait.forListeningPorts()).start();
  const id = container.getId();
  await container.restart();
  assert.equal(container.getId(), id);
  assert.equal(await page(container), 'hello from inside');
  const stopped = await container.stop({ remove: false, removeVolumes: false, timeout: 1000 });
  const packed = join(folder, 'stopped.tar');
  await writeFile(packed, await stopped.copyArchiveFromContainer('/www/index.html'));
  assert.equal(await succeed('tar', ['-xOf', packed]), 'hello from inside');
  await daemon.docker(['rm', id]);
});

test('commit makes an image that starts', async () => {
  const container = await shell('echo committed >/mark; sleep 1000')
    .withWaitStrategy(library.Wait.forSuccessfulCommand('test -s /mark'))
    .start();
  await container.commit({ repo: 'from-testcontainers', tag: 'one', deleteOnExit: false });
  await container.stop();
  await using second = await new library.GenericContainer('from-testcontainers:one')
    .withCommand(['sleep', '1000'])
    .start();
  assert.equal((await second.exec('cat /mark')).output, 'committed\n');
});

test('UDP ports and fixed host ports are published', async () => {
  const port = await freePort();
  await using container = await shell('nc -ll -p 7000 -e cat & sleep 1000')
    .withExposedPorts('5353/udp', { container: 7000, host: port })
    .withWaitStrategy(library.Wait.forListeningPorts())
    .start();
  assert.equal(container.getMappedPort(7000), port);
  assert.ok(container.getMappedPort('5353/udp') > 0);
  const socket = connect(port, '127.0.0.1');
  socket.end('echoed');
  assert.equal(await text(socket), 'echoed');
});

test('many start at once', async () => {
  const containers = await Promise.all(
    Array.from({ length: 8 }, () => web().withWaitStrategy(library.Wait.forListeningPorts()).start()),
  );
  assert.equal(new Set(containers.map((container) => container.getFirstMappedPort())).size, 8);
  assert.deepEqual(await Promise.all(containers.map(page)), Array(8).fill('hello from inside'));
  await Promise.all(containers.map((container) => container.stop()));
});

for (const buildKit of [false, true]) {
  test(`an image is built from a Dockerfile, ${buildKit ? 'through' : 'without'} BuildKit`, async () => {
    const context = join(folder, `build-${buildKit}`);
    await mkdir(context);
    const dockerfile =
      'FROM busybox AS page\nARG WHO\nRUN mkdir /www && echo "built for $WHO" > /www/index.html\n';
    const server = 'FROM page\nCOPY note /www/note\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n';
    await writeFile(join(context, 'Dockerfile'), dockerfile + server);
    await writeFile(join(context, 'note'), 'a note');
    const builder = library.GenericContainer.fromDockerfile(context).withBuildArgs({ WHO: 'a test' });
    const image = await (buildKit ? builder.withBuildkit() : builder).build();
    const container = await image.withExposedPorts(8080).start();
    assert.equal(await page(container), 'built for a test\n');
    await container.stop();
  });
}
