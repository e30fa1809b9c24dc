import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../setup/clients.ts';
import { command, type CommandResult } from '../setup/commands.ts';
import { busyboxArchive, eventually, startDaemon } from '../setup/index.ts';

const node = join(projectRoot, 'node_modules/.bin/node');
const program = join(projectRoot, 'dist/wharfd.js');

/** `wharfd --validate` with this daemon.json, as an object or as text. */
async function validate(
  config: object | string,
  ...flags: string[]
): Promise<CommandResult & { text: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-config-'));
  try {
    const file = join(folder, 'daemon.json');
    await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
    const result = await command(node, [program, '--validate', '--config-file', file, ...flags]);
    return { ...result, text: (result.stdout + result.stderr).replaceAll(file, 'FILE').trim() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('--validate refuses what dockerd refuses, in its words', async () => {
  const { code, text } = await validate({ labels: ['a'] });
  assert.deepEqual(
    { code, text },
    {
      code: 1,
      text: 'unable to configure the Docker daemon with file FILE: merged configuration validation from file and command line flags failed: bad attribute format: a',
    },
  );
});

test('what this engine does not do is refused by name, in the file and as a flag', async () => {
  const file = await validate({ 'userns-remap': 'default' });
  assert.equal(file.code, 1);
  assert.match(file.text, /^unable to configure .* FILE: userns-remap is not supported: /);
  const flag = await validate({}, '--selinux-enabled');
  assert.match(flag.text, /^--selinux-enabled is not supported: /);
  const driver = await validate({ 'exec-opts': ['native.cgroupdriver=systemd'] });
  assert.match(driver.text, /native\.cgroupdriver=systemd is not supported: /);
  assert.equal(
    (await validate({ 'userns-remap': '', 'selinux-enabled': false, 'storage-opts': [] })).text,
    'configuration OK',
  );
});

test('everything else that dockerd documents is taken', async () => {
  const config = {
    bip: '10.9.0.1/24',
    'default-address-pools': [{ base: '10.10.0.0/16', size: 24 }],
    'default-shm-size': '128M',
    'default-ulimits': { nofile: { Name: 'nofile', Hard: 1024, Soft: 1024 } },
    dns: ['10.1.1.1'],
    'dns-opts': ['ndots:1'],
    'dns-search': ['example.org'],
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    experimental: false,
    features: { buildkit: true, 'containerd-snapshotter': false },
    icc: true,
    'insecure-registries': ['10.0.0.0/8', 'reg.example:5000'],
    ip6tables: true,
    labels: ['rack=7'],
    'live-restore': true,
    'log-driver': 'json-file',
    'log-opts': { 'max-size': '5m', 'max-file': '2' },
    'max-concurrent-downloads': 4,
    'max-concurrent-uploads': 4,
    'max-download-attempts': 2,
    'no-new-privileges': true,
    proxies: { 'http-proxy': 'http://proxy.example:3128', 'no-proxy': 'localhost' },
    'raw-logs': true,
    'registry-mirrors': ['https://mirror.example'],
    'seccomp-profile': 'builtin',
    'shutdown-timeout': 5,
    'userland-proxy': false,
  };
  assert.equal((await validate(config)).text, 'configuration OK');
  assert.equal((await validate('\n')).text, 'configuration OK');
});

test('called dockerd it looks for its configuration where dockerd does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-alias-'));
  try {
    for (const name of ['dockerd', 'wharfd']) {
      await symlink(join(projectRoot, 'wharfd'), join(folder, name));
      const { stdout } = await command(join(folder, name), ['--help']);
      assert.match(stdout, new RegExp(`default /etc/${name === 'dockerd' ? 'docker' : 'wharf'}/daemon.json`));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('SIGHUP takes over what may change, and says so in an event', async () => {
  await using daemon = await startDaemon({ config: { labels: ['rack=7'], 'no-new-privileges': true } });
  const info = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await daemon.get('/info')).body) as Record<string, unknown>;
  assert.deepEqual((await info())['Labels'], ['rack=7']);
  const since = Date.now() / 1000 - 1;
  const changed = {
    labels: ['rack=8'],
    debug: true,
    'registry-mirrors': ['http://127.0.0.1:1'],
    'shutdown-timeout': 3,
    'max-concurrent-downloads': 7,
    bip: '10.9.0.1/24',
    'no-new-privileges': true,
  };
  await writeFile(join(daemon.folder, 'daemon.json'), JSON.stringify(changed));
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(async () => (await info())['Debug'] === true);
  const after = await info();
  assert.deepEqual(after['Labels'], ['rack=8']);
  assert.deepEqual((after['RegistryConfig'] as { Mirrors: unknown }).Mirrors, ['http://127.0.0.1:1']);
  const until = Math.ceil(Date.now() / 1000);
  const { body } = await daemon.get(`/events?since=${since}&until=${until}&filters={"type":["daemon"]}`);
  const event = JSON.parse(body) as {
    Action: string;
    Actor: { ID: string; Attributes: Record<string, string> };
  };
  assert.equal(event.Action, 'reload');
  assert.equal(event.Actor.ID, after['ID']);
  const { labels, debug, 'max-concurrent-downloads': downloads } = event.Actor.Attributes;
  assert.deepEqual([labels, debug, downloads], ['["rack=8"]', 'true', '7']);
  assert.match(await daemon.log(), /changed settings wait for the next start settings=\["network"\]/);

  await writeFile(join(daemon.folder, 'daemon.json'), '{"labels":["broken"]}');
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(async () => (await daemon.log()).includes('the configuration stays as it was'));
  assert.deepEqual((await info())['Labels'], ['rack=8']);

  await daemon.docker(['load', '-i', await busyboxArchive()]);
  const show = ['run', '--rm', 'busybox', 'grep', 'NoNewPrivs', '/proc/self/status'];
  assert.equal((await daemon.docker(show)).stdout, 'NoNewPrivs:\t1\n');
});
