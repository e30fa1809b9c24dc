import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import Docker from 'dockerode';
import { busyboxArchive, startDaemon } from '../setup/index.ts';

test('dockerode drives the engine: load, run, exec, logs, events, remove', async () => {
  await using daemon = await startDaemon();
  const docker = new Docker({ socketPath: daemon.socket });
  const loading = await docker.loadImage(createReadStream(await busyboxArchive()));
  assert.match(await text(loading), /Loaded image: busybox:latest/);

  const output = new PassThrough();
  const collected = text(output);
  const [{ StatusCode }, ran] = (await docker.run('busybox', ['sh', '-c', 'echo out; exit 3'], output)) as [
    { StatusCode: number },
    Docker.Container,
  ];
  output.end();
  assert.equal(StatusCode, 3);
  assert.match(await collected, /out/);
  assert.equal((await ran.inspect()).State.ExitCode, 3);
  await ran.remove();

  const events = await docker.getEvents({ filters: { type: ['container'], event: ['start'] } });
  const started = new Promise<Buffer>((resolve) => events.once('data', resolve));
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    name: 'with-dockerode',
  });
  await container.start();
  assert.match((await started).toString(), /"Action":"start"/);
  (events as unknown as { destroy(): void }).destroy();

  const exec = await container.exec({
    Cmd: ['cat'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const stdout = new PassThrough();
  docker.modem.demuxStream(stream, stdout, new PassThrough());
  stream.on('end', () => stdout.end());
  stream.end('through exec\n');
  assert.equal(await text(stdout), 'through exec\n');
  assert.equal((await exec.inspect()).ExitCode, 0);

  await assert.rejects(docker.getContainer('nope').inspect(), { statusCode: 404 });
  const listed = await docker.listContainers({ filters: { name: ['with-dockerode'] } });
  assert.deepEqual(listed[0]?.Names, ['/with-dockerode']);
  await container.remove({ force: true });
});
