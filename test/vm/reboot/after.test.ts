import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../../setup/index.ts';
import { docker, inspect, wharf } from './service.ts';

test('after a reboot --restart holds', async () => {
  for (const name of ['always', 'kept']) {
    await eventually(async () => (await inspect(name, '{{.State.Status}}')) === 'running', {
      what: name,
      timeout: 60_000,
    });
    assert.equal(await docker('exec', name, 'cat', '/proc/1/comm'), 'sleep');
  }
  assert.equal(await inspect('stopped', '{{.State.Status}}'), 'exited');
});

test('daemon disable removes the services and leaves containers alone', async () => {
  const pid = await inspect('always', '{{.State.Pid}}');
  await wharf('daemon', 'disable');
  assert.ok(!existsSync('/etc/systemd/system/wharfd.service'));
  assert.ok(existsSync(`/proc/${pid}`), 'it runs on');
});
