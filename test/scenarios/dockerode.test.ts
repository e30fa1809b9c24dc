/** dockerode as it comes from npm: its own documented calls, one test for each noun. */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import Docker from 'dockerode';
import {
  busyboxArchive,
  busyboxImage,
  eventually,
  startDaemon,
  startRegistry,
  succeed,
  type Daemon,
} from '../setup/index.ts';

let daemon: Daemon;
let docker: Docker;
let folder: string;
before(async () => {
  daemon = await startDaemon();
  folder = await mkdtemp(join(tmpdir(), 'wharf-scenario-'));
  docker = new Docker({ socketPath: daemon.socket });
  const events = await followed(await docker.loadImage(createReadStream(await busyboxArchive())));
  assert.deepEqual(events.at(-1), { stream: 'Loaded image: busybox:latest\n' });
});
after(async () => {
  await rm(folder, { recursive: true });
  await daemon[Symbol.asyncDispose]();
});

interface Progress {
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly aux?: unknown;
}

/** The lines of a transfer, as dockerode's followProgress gives them at its end. */
function followed(stream: NodeJS.ReadableStream): Promise<Progress[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Progress[]>();
  docker.modem.followProgress(stream, (error, lines: Progress[]) => {
    if (error) reject(error);
    else resolve(lines);
  });
  return promise;
}

/** Both streams of an attachment, collected to the end. */
async function demuxed(stream: NodeJS.ReadableStream): Promise<{ stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => {
    stdout.end();
    stderr.end();
  });
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  return { stdout: out, stderr: err };
}

async function sleeper(name: string, options: Docker.ContainerCreateOptions = {}): Promise<Docker.Container> {
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    name,
    ...options,
  });
  await container.start();
  return container;
}

/** Goes away from a stream that would not end. */
const leave = (stream: NodeJS.ReadableStream): void => (stream as unknown as { destroy(): void }).destroy();

const shell = (script: string): string[] => ['sh', '-c', script];

test('run pipes a container’s output and answers its exit', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const collected = Promise.all([text(stdout), text(stderr)]);
  const script = shell('echo out; echo err >&2; exit 3');
  const [{ StatusCode }, ran] = (await docker.run('busybox', script, [stdout, stderr], { Tty: false })) as [
    { StatusCode: number },
    Docker.Container,
  ];
  stdout.end();
  stderr.end();
  assert.deepEqual([StatusCode, ...(await collected)], [3, 'out\n', 'err\n']);
  assert.equal((await ran.inspect()).State.ExitCode, 3);
  await ran.remove();
});

test('attach with hijack gives stdin and both outputs, attached before the start', async () => {
  const script = 'while read line; do echo "<$line>"; echo "!$line" >&2; done; exit 5';
  const options = { OpenStdin: true, StdinOnce: true, AttachStdin: true };
  const container = await docker.createContainer({ Image: 'busybox', Cmd: shell(script), ...options });
  const attachment = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true };
  const stream = await container.attach(attachment);
  const waited = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
  await container.start();
  const output = demuxed(stream);
  stream.write('one\n');
  stream.end('two\n');
  assert.deepEqual(await output, { stdout: '<one>\n<two>\n', stderr: '!one\n!two\n' });
  assert.equal((await waited).StatusCode, 5);
  const late = await container.attach({ logs: true, stream: false, stdout: true, stderr: false });
  assert.deepEqual(await demuxed(late), { stdout: '<one>\n<two>\n', stderr: '' });
  await container.remove();
});

test('a terminal is attached, resized and left', async () => {
  const container = await docker.createContainer({ Image: 'busybox', Tty: true, OpenStdin: true });
  const stream = await container.attach({
    stream: true,
    hijack: true,
    stdin: true,
    stdout: true,
  });
  await container.start();
  let seen = '';
  stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await container.resize({ h: 30, w: 90 });
  stream.write('stty size\n');
  await eventually(() => seen.includes('30 90\r\n'));
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.write('\x10\x11');
  await ended;
  assert.equal((await container.inspect()).State.Running, true);
  await container.remove({ force: true });
});

test('exec: output, stdin, a terminal in both forms, resize, detach, its exit', async () => {
  const container = await sleeper('exec-host');
  const both = { AttachStdout: true, AttachStderr: true };
  const plain = await container.exec({
    Cmd: shell('echo $X; pwd; id -un >&2'),
    Env: ['X=y'],
    WorkingDir: '/var',
    User: 'nobody',
    ...both,
  });
  assert.deepEqual(await demuxed(await plain.start({})), { stdout: 'y\n/var\n', stderr: 'nobody\n' });
  assert.equal((await plain.inspect()).ExitCode, 0);

  const cat = await container.exec({ Cmd: ['cat'], AttachStdin: true, ...both });
  const stream = await cat.start({ hijack: true, stdin: true });
  stream.end('x'.repeat(200_000));
  assert.equal((await demuxed(stream)).stdout.length, 200_000);

  const terminal = await container.exec({ Cmd: ['sh'], Tty: true, AttachStdin: true, ...both });
  const keys = await terminal.start({ hijack: true, stdin: true, Tty: true });
  await terminal.resize({ h: 31, w: 91 });
  keys.write('stty size; exit 6\n');
  assert.match(await text(keys), /31 91\r\n/);
  assert.equal((await terminal.inspect()).ExitCode, 6);

  // Started as no terminal, its output comes in frames, which demuxStream takes apart.
  const framed = await container.exec({ Cmd: ['tty'], Tty: true, ...both });
  assert.match((await demuxed(await framed.start({ hijack: true }))).stdout, /^\/dev\/pts\/\d+\r\n$/);

  const detached = await container.exec({ Cmd: shell('echo done >/tmp/mark') });
  await detached.start({ Detach: true });
  await eventually(async () => !(await detached.inspect()).Running);
  const missing = await container.exec({ Cmd: ['no-such-program'], ...both });
  assert.match((await demuxed(await missing.start({}))).stdout, /no-such-program/);
  assert.equal((await missing.inspect()).ExitCode, 127);
  await assert.rejects(docker.getExec('nope').inspect(), { statusCode: 404 });
  await container.remove({ force: true });
});

test('logs: all at once as a buffer, followed, cut, stamped', async () => {
  const script = 'for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done; echo end >&2';
  const container = await docker.createContainer({ Image: 'busybox', Cmd: shell(script) });
  await container.start();
  const following = await container.logs({ follow: true, stdout: true, stderr: true });
  const lines = 'line 1\nline 2\nline 3\nline 4\nline 5\n';
  assert.deepEqual(await demuxed(following), { stdout: lines, stderr: 'end\n' });
  const whole = await container.logs({ stdout: true, stderr: false });
  assert.ok(Buffer.isBuffer(whole));
  assert.equal(whole.length, lines.length + 5 * 8);
  const tail = await container.logs({ stdout: true, stderr: true, tail: 1, timestamps: true });
  assert.match(tail.subarray(8).toString(), /^\d{4}-\d\d-\d\dT[\d:.]+Z end\n$/);
  assert.equal(
    (await container.logs({ stdout: true, since: Math.floor(Date.now() / 1000) + 100 })).length,
    0,
  );
  await container.remove();
});

test('stats, top, changes, rename, pause and limits', async () => {
  const container = await sleeper('looked-at', { HostConfig: { Memory: 32 * 2 ** 20 } });
  const once = await container.stats({ stream: false });
  assert.equal(once.memory_stats.limit, 32 * 2 ** 20);
  assert.ok(once.cpu_stats.cpu_usage.total_usage > 0);
  assert.ok(once.networks['eth0']);
  const stream = await container.stats({ stream: true });
  const first = await new Promise<Buffer>((resolve) => stream.once('data', resolve));
  assert.equal((JSON.parse(first.toString()) as { id: string }).id, container.id);
  leave(stream);
  const processes = (await container.top({ ps_args: 'aux' })) as { Processes: string[][]; Titles: string[] };
  assert.match(processes.Processes[0]?.at(-1) ?? '', /sleep 1000/);
  const touch = await container.exec({ Cmd: ['touch', '/tmp/new'] });
  await touch.start({ Detach: true });
  await eventually(async () => {
    const changes = (await container.changes()) as { Path: string; Kind: number }[] | null;
    return changes?.some(({ Path, Kind }) => Path === '/tmp/new' && Kind === 1);
  });
  await container.pause();
  assert.equal((await container.inspect()).State.Status, 'paused');
  await container.unpause();
  await container.rename({ name: 'renamed' });
  await container.update({ Memory: 48 * 2 ** 20, MemorySwap: -1 });
  const { Name, HostConfig } = await docker.getContainer('renamed').inspect();
  assert.deepEqual([Name, HostConfig.Memory], ['/renamed', 48 * 2 ** 20]);
  await container.restart({ t: 0 });
  await container.kill({ signal: 'KILL' });
  assert.equal(((await container.wait()) as { StatusCode: number }).StatusCode, 137);
  await assert.rejects(container.stop(), { statusCode: 304 });
  await container.remove();
  await assert.rejects(container.inspect(), { statusCode: 404, reason: 'no such container' });
});

test('archives go in and out, a container is exported and committed', async () => {
  const container = await sleeper('files');
  await writeFile(join(folder, 'file'), 'content\n');
  const packed = join(folder, 'in.tar');
  await succeed('tar', ['-C', folder, '-cf', packed, 'file']);
  await container.putArchive(packed, { path: '/tmp' });
  await container.putArchive(createReadStream(packed), { path: '/var', noOverwriteDirNonDir: 'true' });
  const out = join(folder, 'out.tar');
  await writeFile(out, await buffer(await container.getArchive({ path: '/tmp/file' })));
  assert.equal(await succeed('tar', ['-xOf', out, 'file']), 'content');
  const info = (await container.infoArchive({ path: '/tmp/file' })) as { headers?: unknown };
  assert.ok(info);
  await assert.rejects(container.getArchive({ path: '/missing' }), { statusCode: 404 });
  await assert.rejects(container.putArchive(packed, { path: '/missing' }), { statusCode: 404 });
  await writeFile(out, await buffer(await container.export()));
  assert.equal(await succeed('tar', ['-xOf', out, 'var/file']), 'content');
  const committed = (await container.commit({
    repo: 'from-dockerode',
    tag: 'one',
    changes: 'CMD cat /tmp/file',
  })) as { Id: string };
  const image = docker.getImage('from-dockerode:one');
  assert.equal((await image.inspect()).Id, committed.Id);
  const output = new PassThrough();
  const collected = text(output);
  await docker.run('from-dockerode:one', [], output, { HostConfig: { AutoRemove: true } });
  output.end();
  assert.match(await collected, /content/);
  await container.remove({ force: true });
  await eventually(() => image.remove({ force: true }));
});

test('events come as they happen and from the past', async () => {
  const since = Math.floor(Date.now() / 1000) - 1;
  const filters = { type: ['container' as const], label: ['evented'] };
  const stream = await docker.getEvents({ filters });
  const seen: string[] = [];
  stream.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n'))
      seen.push((JSON.parse(line) as { Action: string }).Action);
  });
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['true'],
    Labels: { evented: '' },
  });
  await container.start();
  await container.wait();
  await container.remove();
  const all = ['create', 'start', 'die', 'destroy'];
  await eventually(() => seen.length >= all.length);
  assert.deepEqual(seen, all);
  leave(stream);
  const past = await text(
    await docker.getEvents({ since, until: Math.floor(Date.now() / 1000) + 1, filters }),
  );
  assert.equal(past.trim().split('\n').length, all.length);
});

test('networks are made, joined, inspected, pruned', async () => {
  const network = await docker.createNetwork({
    Name: 'rode',
    Driver: 'bridge',
    Labels: { mine: 'yes' },
    IPAM: { Config: [{ Subnet: '10.212.4.0/24' }] },
  });
  const member = await sleeper('member');
  await network.connect({
    Container: member.id,
    EndpointConfig: { IPAMConfig: { IPv4Address: '10.212.4.9' }, Aliases: ['alias'] },
  });
  const joined = (await network.inspect()) as { Containers: Record<string, { IPv4Address: string }> };
  assert.equal(joined.Containers[member.id]?.IPv4Address, '10.212.4.9/24');
  assert.equal((await member.inspect()).NetworkSettings.Networks['rode']?.IPAddress, '10.212.4.9');
  await network.disconnect({ Container: member.id });
  await member.remove({ force: true });
  const listed = await docker.listNetworks({ filters: { label: ['mine=yes'] } });
  assert.deepEqual(
    listed.map(({ Name }) => Name),
    ['rode'],
  );
  const { NetworksDeleted } = await docker.pruneNetworks({ filters: { label: ['mine'] } });
  assert.deepEqual(NetworksDeleted, ['rode']);
  await assert.rejects(network.inspect(), { statusCode: 404 });
});

test('volumes hold data, are listed and pruned', async () => {
  await docker.createVolume({ Name: 'rode-data', Labels: { mine: 'yes' } });
  const [{ StatusCode }] = (await docker.run('busybox', shell('echo kept >/data/file'), new PassThrough(), {
    HostConfig: { Binds: ['rode-data:/data'], AutoRemove: true },
  })) as [{ StatusCode: number }];
  assert.equal(StatusCode, 0);
  const volume = docker.getVolume('rode-data');
  const { Mountpoint } = await volume.inspect();
  assert.equal(await succeed('cat', [join(Mountpoint, 'file')]), 'kept');
  const { Volumes } = await docker.listVolumes({ filters: { name: ['rode-data'] } });
  assert.equal(Volumes.length, 1);
  await eventually(() => volume.remove().then(() => true));
  await assert.rejects(volume.inspect(), { statusCode: 404 });
  assert.ok('VolumesDeleted' in (await docker.pruneVolumes({ filters: { label: ['mine'] } })));
});

test('containers are listed by filters and pruned; callbacks work as promises do', async () => {
  const kept = await sleeper('listed', { Labels: { group: 'a' } });
  const done = await docker.createContainer({ Image: 'busybox', Cmd: ['true'], Labels: { group: 'b' } });
  await done.start();
  await done.wait();
  const ids = async (options: object): Promise<string[]> =>
    (await docker.listContainers(options)).map(({ Id }) => Id);
  assert.deepEqual(await ids({ filters: { label: ['group'] } }), [kept.id]);
  assert.deepEqual(await ids({ all: true, filters: { label: ['group'] } }), [done.id, kept.id]);
  assert.deepEqual(await ids({ all: true, filters: JSON.stringify({ status: ['exited'] }) }), [done.id]);
  assert.deepEqual((await docker.pruneContainers({ filters: { label: ['group=b'] } })).ContainersDeleted, [
    done.id,
  ]);
  const inspected = await new Promise((resolve, reject) => {
    kept.inspect((error, data) => (error ? reject(error as Error) : resolve(data?.Name)));
  });
  assert.equal(inspected, '/listed');
  await kept.remove({ force: true });
  const version = await docker.version();
  assert.match(version.ApiVersion, /^1\.\d+$/);
  assert.equal(String((await docker.ping()) as unknown), 'OK');
  assert.ok((await docker.info()) as unknown);
  assert.ok((await docker.df()) as unknown);
});

test('pull and push report their progress to the end, and failures as errors', async () => {
  await using registry = await startRegistry();
  const name = `${registry.address}/team/app`;
  await registry.publish('team/app:one', await busyboxImage());
  const lines = await followed(await docker.pull(`${name}:one`));
  assert.equal(lines.at(-1)?.status, `Status: Downloaded newer image for ${name}:one`);
  const image = docker.getImage(`${name}:one`);
  await image.tag({ repo: name, tag: 'two' });
  const pushed = await followed(await docker.getImage(`${name}:two`).push({}));
  assert.ok(pushed.some(({ status }) => /^two: digest: sha256:/.test(status ?? '')));
  await assert.rejects(docker.pull(`${name}:missing`).then(followed), /not found|manifest unknown/);
  const saved = join(folder, 'saved.tar');
  await writeFile(saved, await buffer(await image.get()));
  for (const tag of ['one', 'two']) await docker.getImage(`${name}:${tag}`).remove();
  assert.match(
    (await followed(await docker.loadImage(saved))).at(-1)?.stream ?? '',
    /Loaded image: .*team\/app:one/,
  );
  assert.ok((await image.history()) as unknown);
  await image.remove();
});

/** What is legible of BuildKit's messages, which come in base64. */
const decoded = (lines: readonly Progress[]): string =>
  lines.map(({ aux }) => (typeof aux === 'string' ? Buffer.from(aux, 'base64').toString() : '')).join('\n');

const contextFiles = {
  Dockerfile: 'FROM busybox\nARG WHO\nRUN echo for $WHO > /who\nCOPY kept /kept\n',
  kept: 'a file\n',
};

for (const version of ['1', '2'] as const) {
  test(`buildImage builds a folder's files, as version ${version} of it`, async () => {
    const context = join(folder, `build-${version}`);
    await mkdir(context);
    for (const [name, content] of Object.entries(contextFiles)) await writeFile(join(context, name), content);
    const source = { context, src: Object.keys(contextFiles) };
    const options = { t: `dockerode-${version}`, version, buildargs: { WHO: version }, labels: { a: 'b' } };
    const build = async (): Promise<Progress[]> => followed(await docker.buildImage(source, options));
    const first = await build();
    if (version === '1') assert.match(JSON.stringify(first), /RUN echo for \$WHO/);
    else assert.match(decoded(first), /RUN echo for 2/);
    const image = await docker.getImage(options.t).inspect();
    assert.deepEqual(image.Config.Labels, { a: 'b' });
    const again = await build();
    if (version === '1') assert.match(JSON.stringify(again), /Using cache/);
    assert.equal((await docker.getImage(options.t).inspect()).Id, image.Id);
    const [container, output] = [new PassThrough(), new PassThrough()];
    const said = text(container);
    await docker.run(options.t, ['cat', '/who', '/kept'], [container, output], {
      Tty: false,
      HostConfig: { AutoRemove: true },
    });
    container.end();
    assert.equal(await said, `for ${version}\na file\n`);
    await docker.getImage(options.t).remove({ force: true });
  });
}
