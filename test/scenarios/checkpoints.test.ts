import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyboxArchive, startDaemon } from '../setup/index.ts';

test('a checkpoint is refused with what it lacks here, and the container runs on', async () => {
  await using daemon = await startDaemon({ flags: ['--experimental'] });
  await daemon.docker(['load', '-i', await busyboxArchive()]);
  await daemon.docker(['run', '-d', '--name', 'live', '--network', 'none', 'busybox', 'sleep', '1000']);
  for (const client of [daemon.docker, daemon.wharf]) {
    const { code, stderr } = await client(['checkpoint', 'create', 'live', 'one']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Cannot checkpoint container live: not supported: this engine does not take restored/,
    );
    assert.equal((await client(['checkpoint', 'rm', 'live', 'one'])).code, 1);
    assert.deepEqual((await client(['checkpoint', 'ls', 'live'])).stdout, 'CHECKPOINT NAME\n');
  }
  await daemon.docker(['create', '--name', 'still', 'busybox']);
  const start = await daemon.docker(['start', '--checkpoint', 'one', 'still']);
  assert.deepEqual([start.code, /checkpoint one does not exist/.test(start.stderr)], [1, true]);
  const running = await daemon.docker(['inspect', '-f', '{{.State.Running}}', 'live']);
  assert.equal(running.stdout, 'true\n');
  await daemon.docker(['rm', '-f', 'live', 'still']);
});

test('without --experimental there are no checkpoints', async () => {
  await using daemon = await startDaemon();
  const { status, body } = await daemon.get('/containers/any/checkpoints');
  assert.deepEqual([status, /experimental/.test(body)], [501, true]);
});
