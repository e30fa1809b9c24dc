import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSeccompProfile } from './default-profile.ts';
import { SeccompPrograms } from './programs.ts';

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const profile = defaultSeccompProfile([], architecture);

const run = (program: string, args: readonly string[], cwd?: string) =>
  spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 30_000 });

/** A bundle that shows its own seccomp state, then tries to make a namespace, then waits. */
function makeBundle(folder: string, annotations: Record<string, string>, args: readonly string[]): void {
  mkdirSync(join(folder, 'rootfs/bin'), { recursive: true });
  for (const name of ['dev', 'proc']) mkdirSync(join(folder, 'rootfs', name));
  cpSync('/bin/busybox', join(folder, 'rootfs/bin/busybox'));
  const config = {
    ociVersion: '1.0.0',
    process: { user: { uid: 0, gid: 0 }, args, cwd: '/', env: ['PATH=/bin'], capabilities: {} },
    root: { path: 'rootfs' },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    annotations,
    linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }], seccomp: profile },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}

const look = [
  'busybox',
  'sh',
  '-c',
  'busybox grep ^Seccomp: /proc/self/status; busybox unshare -n true 2>&1',
];
const seen = /Seccomp:\s2\n.*Operation not permitted/;

test('SeccompPrograms.get() compiles a profile once', () => {
  const programs = new SeccompPrograms();
  const first = programs.get(profile);
  assert.ok(first && first.length > 1000);
  const began = performance.now();
  assert.equal(programs.get(defaultSeccompProfile([], architecture)), first);
  assert.ok(performance.now() - began < 5);
});

test('SeccompPrograms.get() leaves profiles with a listener to the runtime', () => {
  const listening = {
    defaultAction: 'SCMP_ACT_ALLOW' as const,
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' as const }],
  };
  assert.equal(new SeccompPrograms().get(listening), undefined);
});

for (const runtime of ['crun', 'runc']) {
  const skip = run(runtime, ['--version']).error ? `${runtime} is not installed` : false;
  test(`SeccompPrograms.get() confines under ${runtime}, for run and exec`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'wharf-seccomp-'));
    const id = `wharf-seccomp-${process.pid}-${runtime}`;
    const root = ['--root', join(folder, 'state')];
    try {
      const data = new SeccompPrograms().get(profile) ?? '';
      makeBundle(join(folder, 'a'), { 'run.oci.seccomp_bpf_data': data }, look);
      const once = run(runtime, [...root, 'run', id], join(folder, 'a'));
      assert.match(once.stdout, seen, once.stderr);

      makeBundle(join(folder, 'b'), { 'run.oci.seccomp_bpf_data': data }, ['busybox', 'sleep', '60']);
      // No pipes to wait for: they would stay open in the container.
      const started = spawnSync(runtime, [...root, 'run', '--detach', id], {
        cwd: join(folder, 'b'),
        stdio: 'ignore',
      });
      assert.equal(started.status, 0);
      const inside = run(runtime, [...root, 'exec', id, ...look]);
      assert.match(inside.stdout, seen, inside.stderr);
    } finally {
      run(runtime, [...root, 'delete', '--force', id]);
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
