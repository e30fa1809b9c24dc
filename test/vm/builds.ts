import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { dockerProgram, eventually } from '../setup/index.ts';
import type { Engine } from './engine.ts';

/** The control groups of commands of builds. */
async function groups(): Promise<readonly string[]> {
  const found = await readdir('/sys/fs/cgroup', { recursive: true });
  return found.filter((path) => /\/build-[0-9a-f]{64}$/.test(path));
}

/** Commands of builds on a host with control groups of version 2 and AppArmor. */
export function buildTests({ daemon, docker }: Engine): void {
  const build = async (dockerfile: string, flags: readonly string[] = []): Promise<string> => {
    const args = ['build', '--progress', 'plain', ...flags, '-'];
    const { code, stdout, stderr } = await daemon.docker(args, { input: dockerfile });
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };

  test('a build runs its commands confined, and not again', async () => {
    const look = 'cat /proc/self/attr/current; grep -E "^(Seccomp|CapBnd):" /proc/self/status';
    const dockerfile = `FROM busybox\nRUN (${look}) >/seen\nCMD ["cat", "/seen"]\n`;
    await build(dockerfile, ['-t', 'confined']);
    const seen = await docker('run', '--rm', 'confined');
    assert.match(seen, /^docker-default \(enforce\)/);
    assert.match(seen, /Seccomp:\t2/);
    assert.match(seen, /CapBnd:\t00000000a80425fb/);
    assert.match(await build(dockerfile, ['-t', 'confined']), /RUN [^\n]*\n#\d+ CACHED/);
    await docker('rmi', 'confined');
  });

  test('a build that is given up leaves no process and no control group', async () => {
    const before = await groups();
    const client = spawn(dockerProgram(), ['build', '--progress', 'plain', '-'], {
      env: { ...process.env, ...daemon.env },
    });
    client.stdin.end('FROM busybox\nRUN echo begun; trap "" TERM; sleep 1000\n');
    const ended = once(client, 'close');
    await eventually(async () => (await groups()).length > before.length);
    client.kill('SIGINT');
    await ended;
    await eventually(async () => (await groups()).length === before.length);
  });
}
