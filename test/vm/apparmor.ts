import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command } from '../setup/commands.ts';
import type { Engine } from './engine.ts';

/** AppArmor, which few development machines have. */
export function apparmorTests({ daemon, docker }: Engine): void {
  const show = ['busybox', 'cat', '/proc/self/attr/current'];

  test('a container and its execs are confined by docker-default', async () => {
    assert.equal(await docker('run', '--rm', ...show), 'docker-default (enforce)');
    await docker('run', '-d', '--name', 'confined', 'busybox', 'sleep', '1000');
    assert.equal(
      await docker('exec', 'confined', 'cat', '/proc/self/attr/current'),
      'docker-default (enforce)',
    );
    assert.equal(await docker('inspect', '-f', '{{.AppArmorProfile}}', 'confined'), 'docker-default');
    await docker('rm', '-f', 'confined');
  });

  test('--security-opt apparmor=unconfined and --privileged lift it', async () => {
    assert.equal(await docker('run', '--rm', '--security-opt', 'apparmor=unconfined', ...show), 'unconfined');
    assert.equal(await docker('run', '--rm', '--privileged', ...show), 'unconfined');
  });

  test('what the profile denies is denied whatever the capabilities', async () => {
    const mount = ['--cap-add', 'SYS_ADMIN', 'busybox', 'mount', '-t', 'tmpfs', 'none', '/tmp'];
    const { code, stderr } = await daemon.docker(['run', '--rm', ...mount]);
    assert.notEqual(code, 0);
    assert.match(stderr, /permission denied/i);
    await docker('run', '--rm', '--security-opt', 'apparmor=unconfined', ...mount);
  });

  test('a profile of the user is taken, one that is not loaded is an error', async () => {
    const profile = `
  profile wharf-vm-own flags=(attach_disconnected,mediate_deleted) {
    network,
    capability,
    file,
    umount,
    deny /etc/secret rw,
  }
  `;
    const loaded = await command('apparmor_parser', ['--replace'], { input: profile });
    assert.equal(loaded.code, 0, loaded.stderr);
    const own = ['--security-opt', 'apparmor=wharf-vm-own'];
    assert.equal(await docker('run', '--rm', ...own, ...show), 'wharf-vm-own (enforce)');
    const denied = await daemon.docker(['run', '--rm', ...own, 'busybox', 'sh', '-c', 'echo x >/etc/secret']);
    assert.match(denied.stderr, /permission denied/i);
    const absent = await daemon.docker([
      'run',
      '--rm',
      '--security-opt',
      'apparmor=nowhere',
      'busybox',
      'true',
    ]);
    assert.notEqual(absent.code, 0);
    assert.match(absent.stderr, /unable to apply apparmor profile: .*no such file or directory/);
  });
}
