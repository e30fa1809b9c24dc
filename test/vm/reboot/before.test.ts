import assert from 'node:assert/strict';
import { cpSync, mkdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { succeed } from '../../setup/commands.ts';
import { busyboxArchive, eventually } from '../../setup/index.ts';
import { docker, inspect, installed, mainPid, unitOf, wharf } from './service.ts';

const names = ['always', 'kept', 'stopped'] as const;
const pids = async (): Promise<string[]> => Promise.all(names.map((name) => inspect(name, '{{.State.Pid}}')));

test('daemon enable makes services of engine and supervisor', async () => {
  mkdirSync(`${installed}/node_modules/.bin`, { recursive: true });
  for (const name of ['dist', 'node_modules/.bin/node', 'node_modules/koffi', 'node_modules/@koromix']) {
    cpSync(name, `${installed}/${name}`, { recursive: true });
  }
  assert.match(await wharf('daemon', 'enable'), /wharfd\.service runs/);
  assert.match(await succeed('systemctl', ['is-enabled', 'wharfd.service']), /^enabled/);
  assert.equal((statSync('/run/wharf/wharf.sock').mode & 0o777).toString(8), '660');
  assert.match(await wharf('daemon', 'status'), /is running \(pid \d+\)/);
  assert.equal(unitOf(await mainPid('wharf-supervisor.service')), 'wharf-supervisor.service');
  assert.match(await wharf('daemon', 'logs'), /the engine is ready/);
});

test('restarting or killing the engine leaves containers alone', async () => {
  await docker('load', '-i', await busyboxArchive());
  const sleeps = ['busybox', 'sleep', '100000'];
  await docker('run', '-d', '--name', 'always', '--restart', 'always', ...sleeps);
  for (const name of ['kept', 'stopped']) {
    await docker('run', '-d', '--name', name, '--restart', 'unless-stopped', ...sleeps);
  }
  const before = await pids();
  await succeed('systemctl', ['restart', 'wharfd.service']);
  assert.deepEqual(await pids(), before);
  const killed = await mainPid('wharfd.service');
  process.kill(killed, 'SIGKILL');
  await eventually(
    async () => {
      const next = await mainPid('wharfd.service');
      return next !== 0 && next !== killed;
    },
    { timeout: 60_000 },
  );
  await eventually(() => wharf('daemon', 'status').catch(() => undefined), { timeout: 60_000 });
  assert.deepEqual(await pids(), before);
  await succeed('systemctl', ['daemon-reload']);
  await docker('run', '--rm', '--memory', '64m', '--cpus', '0.5', '--pids-limit', '50', 'busybox', 'true');
});

test('stop by hand is remembered', async () => {
  await docker('stop', '-t', '0', 'stopped');
  assert.equal(await inspect('stopped', '{{.State.Status}}'), 'exited');
});
