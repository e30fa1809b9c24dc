import assert from 'node:assert/strict';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cacheFolder } from '../setup/cache.ts';
import { projectRoot } from '../setup/clients.ts';
import { answerOf, busyboxArchive, eventually, startDaemon } from '../setup/index.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

function docker(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

const archive = await busyboxArchive();
await docker('load', '-i', archive);

/** The host's programs, read-only: what an image with an engine in it would bring. */
const userland = [
  ...['lib', 'lib64', 'bin', 'sbin'].flatMap((name) => ['-v', `/usr/${name}:/${name}:ro`]),
  ...['-v', '/usr:/usr:ro', '-v', '/etc/alternatives:/etc/alternatives:ro'],
  // The engine's data must not lie on an overlay.
  ...['--tmpfs', '/run', '--tmpfs', '/tmp', '-v', '/data', '-v', `${archive}:/busybox.tar:ro`],
];

/** Runs an engine in a privileged container, and containers in that. `client`: the command line that reaches it. */
async function nest(name: string, mounts: readonly string[], engine: string, client: string): Promise<void> {
  const script = `${engine} >/tmp/log 2>&1; sleep 600`;
  await docker(
    ...['run', '-d', '--privileged', '--name', name, ...userland, ...mounts],
    ...['busybox', 'sh', '-c', script],
  );
  const inner = async (...words: string[]): Promise<string> =>
    docker('exec', name, 'sh', '-c', `${client} "$@"`, 'sh', ...words);
  try {
    await eventually(() => inner('version'), { what: 'the inner engine', timeout: 60_000 });
    await inner('load', '-i', '/busybox.tar');
    assert.equal(await inner('run', '--rm', 'busybox', 'echo', 'nested'), 'nested');
    const limited = ['--memory', '64m', '--pids-limit', '20', '--cpus', '0.5'];
    assert.equal(await inner('run', '--rm', ...limited, 'busybox', 'echo', 'limited'), 'limited');
    await inner('run', '-d', '--name', 'web', '-p', '8080:80', 'busybox', 'httpd', '-f', '-h', '/bin');
    await eventually(() =>
      docker('exec', name, 'curl', '-sf', '-o', '/dev/null', 'http://127.0.0.1:8080/sh').then(() => true),
    );
    await inner('rm', '-f', 'web');
  } catch (error) {
    const log = await daemon.docker(['exec', name, 'tail', '-n', '30', '/tmp/log']);
    throw new Error(`${name}: ${log.stdout}`, { cause: error });
  } finally {
    await docker('rm', '-fv', name);
  }
}

test('this engine runs in a privileged container of its own', async () => {
  const mounts = [
    ...['-v', `${realpathSync(join(projectRoot, 'dist'))}:/wharf/dist:ro`],
    ...['-v', `${realpathSync(join(projectRoot, 'node_modules'))}:/wharf/node_modules:ro`],
  ];
  const engine =
    '/wharf/node_modules/.bin/node /wharf/dist/wharfd.js --data-root /data -H unix:///run/inner.sock';
  await nest('wharf-in-wharf', mounts, engine, '/wharf/dist/wharf -H unix:///run/inner.sock');
});

const reference = join(cacheFolder(), 'reference/root');
// tools/reference-engine.sh fetch brings it; what is tested is the same without it.
if (existsSync(join(reference, 'usr/sbin/dockerd'))) {
  test('a Docker engine runs in a privileged container', async () => {
    const engine = 'PATH=/ref/usr/sbin:/ref/usr/bin:/usr/sbin:/usr/bin dockerd --data-root /data';
    await nest('docker-in-wharf', ['-v', `${reference}:/ref:ro`], engine, '/ref/usr/bin/docker');
  });
}
