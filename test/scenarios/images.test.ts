import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  busyboxImage,
  busyboxLayer,
  command,
  imageId,
  imageOf,
  packLayer,
  startDaemon,
  startRegistry,
  succeed,
  withSettings,
  dockerProgram,
} from '../setup/index.ts';
import { tarFile } from './bad-input/tar-file.ts';
import { Engine } from './docker-cli/engine.ts';

describe('images', () => {
  let engine: Engine;
  before(async () => {
    engine = await Engine.start();
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
  });
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);

  test('docker save and load keep the image, names and id', async () => {
    const file = join(engine.folder, 'saved.tar');
    await docker('tag', 'busybox', 'kept:1');
    const id = await docker('images', '-q', '--no-trunc', 'kept:1');
    await docker('save', '-o', file, 'kept:1');
    const members = (await succeed('tar', ['-tf', file])).split('\n');
    for (const name of ['manifest.json', 'index.json', 'oci-layout']) assert.ok(members.includes(name), name);
    await docker('rmi', 'kept:1');
    assert.equal(await docker('load', '-i', file), 'Loaded image: kept:1');
    assert.equal(await docker('images', '-q', '--no-trunc', 'kept:1'), id);
    await docker('rmi', 'kept:1');
  });

  test('docker export and import keep the files and take changes', async () => {
    const file = join(engine.folder, 'exported.tar');
    await docker('run', '--name', 'source', 'busybox', 'sh', '-c', 'echo kept > /etc/mark');
    await docker('export', '-o', file, 'source');
    await docker('import', '-m', 'by hand', '-c', 'CMD ["cat","/etc/mark"]', file, 'flat:1');
    assert.equal(await docker('run', '--rm', 'flat:1'), 'kept');
    assert.equal(await docker('history', '--format', '{{.Comment}}', 'flat:1'), 'by hand');
    await docker('rm', 'source');
    await docker('rmi', 'flat:1');
  });

  test('docker rmi takes names, then the image, and minds containers', async () => {
    const image = withSettings(await busyboxImage(), { Labels: { which: 'rmi' } });
    await using registry = await startRegistry();
    await registry.publish('which:1', image);
    await docker('pull', '-q', `${registry.address}/which:1`);
    await docker('tag', `${registry.address}/which:1`, 'which:1');
    await docker('tag', 'which:1', 'which:2');
    assert.match(await docker('rmi', 'which:2'), /^Untagged: which:2$/);
    await docker('create', '--name', 'user', 'which:1');
    const said = await engine.fails(1, 'rmi', imageId(image).slice(7, 19));
    assert.match(said, /conflict: unable to delete .*\(must be forced\) - image is referenced in multiple/);
    await docker('rmi', `${registry.address}/which:1`);
    const used = await engine.fails(1, 'rmi', 'which:1');
    assert.match(
      used,
      /conflict: unable to remove repository reference "which:1" \(must force\) - container/,
    );
    await docker('rm', 'user');
    assert.match(await docker('rmi', 'which:1'), new RegExp(`Deleted: ${imageId(image)}`));
    assert.match(await engine.fails(1, 'rmi', 'which:1'), /No such image: which:1/);
    assert.match(await engine.fails(1, 'tag', 'nosuch', 'x'), /No such image: nosuch:latest/);
  });

  test('docker inspect, history and images tell what the image says', async () => {
    const image = withSettings(await busyboxImage(), { Labels: { color: 'red' }, User: '7' });
    await using registry = await startRegistry();
    const digest = await registry.publish('red:1', image);
    const name = `${registry.address}/red`;
    await docker('pull', '-q', `${name}:1`);
    assert.equal(await engine.inspect(`${name}:1`, '{{.Id}} {{.Config.User}}'), `${imageId(image)} 7`);
    assert.equal(await engine.inspect(`${name}:1`, '{{index .RepoDigests 0}}'), `${name}@${digest}`);
    assert.equal(await docker('history', '-q', '--no-trunc', `${name}:1`), imageId(image));
    const list = (...filters: string[]): Promise<string> =>
      docker('images', '-q', '--no-trunc', ...filters.flatMap((filter) => ['-f', filter]));
    assert.equal(await list('label=color=red'), imageId(image));
    assert.equal(await list('label=color=blue'), '');
    assert.equal(await list(`reference=${name}:*`), imageId(image));
    assert.equal(await list('dangling=true'), '');
    assert.match(await engine.fails(1, 'images', '-f', 'bogus=1'), /invalid filter 'bogus'/);
    await docker('rmi', `${name}:1`);
    await docker('pull', '-q', `${name}@${digest}`);
    assert.equal(await docker('run', '--rm', `${name}@${digest}`, 'id', '-u'), '7');
    await docker('rmi', `${name}@${digest}`);
  });

  test('a registry with a login is pulled from and pushed to after docker login', async () => {
    const login = { user: 'ann', password: 'secret' };
    await using registry = await startRegistry({ login });
    await registry.publish('private:1', await busyboxImage());
    const config = join(engine.folder, 'config');
    await mkdir(config);
    const own = (args: readonly string[], input = ''): ReturnType<Engine['try']> =>
      engine.try(args, { input, env: { DOCKER_CONFIG: config } });
    const name = `${registry.address}/private:1`;
    assert.match((await own(['pull', name])).stderr, /no basic auth credentials|unauthorized|denied/);
    const wrong = await own(['login', '-u', 'ann', '--password-stdin', registry.address], 'wrong');
    assert.equal(wrong.code, 1);
    const right = await own(['login', '-u', 'ann', '--password-stdin', registry.address], 'secret');
    assert.match(right.stdout, /Login Succeeded/);
    assert.equal((await own(['pull', '-q', name])).code, 0);
    await docker('tag', name, `${registry.address}/private:2`);
    const pushed = await own(['push', `${registry.address}/private:2`]);
    assert.match(pushed.stdout, /2: digest: sha256:[0-9a-f]{64} size: \d+/, pushed.stderr);
    await docker('rmi', name, `${registry.address}/private:2`);
  });

  test('every kind of file survives commit, push and pull', async () => {
    const folder = join(engine.folder, 'base');
    await mkdir(join(folder, 'opaque/old'), { recursive: true });
    for (const file of ['gone', 'opaque/old/a', 'opaque/b']) await writeFile(join(folder, file), file);
    const layer = join(engine.folder, 'base.tar');
    await packLayer(folder, layer);
    const noteLayer = join(engine.folder, 'note.tar');
    const attribute = '31 SCHILY.xattr.user.note=kept\n';
    await writeFile(
      noteLayer,
      tarFile([{ name: 'pax', kind: 'pax', content: attribute }, { name: 'noted' }]),
    );
    const image = await imageOf([await busyboxLayer(), layer, noteLayer], { Cmd: ['sh'] });
    await using registry = await startRegistry();
    await registry.publish('base:1', image);
    const changes = [
      'rm /gone && chown 5 /noted',
      'rm -r /opaque && mkdir /opaque && echo new > /opaque/new',
      'mkdir /made && echo one > /made/one && ln /made/one /made/two && ln -s one /made/soft',
      'mknod /made/null c 1 3 && mkfifo /made/fifo && chown 12:34 /made/one && chmod 4751 /made/one',
    ].join(' && ');
    await docker('run', '--name', 'work', `${registry.address}/base:1`, 'sh', '-c', changes);
    await docker('commit', 'work', `${registry.address}/work:1`);
    await docker('rm', 'work');
    await docker('push', '-q', `${registry.address}/work:1`);
    await docker('rmi', `${registry.address}/work:1`, `${registry.address}/base:1`);
    await docker('pull', '-q', `${registry.address}/work:1`);
    const look = [
      'ls /gone 2>&1 | grep -c "No such"',
      'find /opaque -type f',
      'stat -c "%u:%g %a %h" /made/one',
      '[ "$(stat -c %i /made/one)" = "$(stat -c %i /made/two)" ] && echo linked',
      'readlink /made/soft',
      'stat -c "%F %t,%T" /made/null',
      'stat -c %F /made/fifo',
    ].join('; ');
    const name = `${registry.address}/work:1`;
    assert.deepEqual((await docker('run', '--rm', name, 'sh', '-c', look)).split('\n'), [
      '1',
      '/opaque/new',
      '12:34 4751 2',
      'linked',
      'one',
      'character special file 1,3',
      'fifo',
    ]);
    // Copied up by the chown: in the base layer and in the committed one.
    const noted = await succeed('find', [join(engine.daemon?.dataRoot ?? '', 'snapshots'), '-name', 'noted']);
    assert.equal(noted.split('\n').length, 2);
    for (const path of noted.split('\n')) {
      const packed = await succeed('tar', ['--xattrs', '--xattrs-include=*', '-Pcf', '-', path]);
      assert.ok(packed.includes(attribute.trim()), path);
    }
    await docker('rmi', name);
  });
});

test('docker pull busybox comes from the mirror', async () => {
  await using registry = await startRegistry();
  const image = withSettings(await busyboxImage(), { Labels: { from: 'mirror' } });
  await registry.publish('library/busybox:latest', image);
  await using daemon = await startDaemon({ flags: ['--registry-mirror', `http://${registry.address}`] });
  const { code, stderr, stdout } = await daemon.docker(['run', '--rm', 'busybox', 'echo', 'mirrored']);
  assert.deepEqual([code, stdout], [0, 'mirrored\n'], stderr);
  assert.match(stderr, /Unable to find image 'busybox:latest' locally/);
  const listed = await daemon.docker(['images', '--no-trunc', '--format', '{{.Repository}} {{.ID}}']);
  assert.equal(listed.stdout.trim(), `busybox ${imageId(image)}`);
});

test('hello-world needs no network at all', async () => {
  await using daemon = await startDaemon();
  await daemon.stop();
  // The same data root, in a network namespace with nothing but a loopback device that is down.
  const socket = join(daemon.folder, 'isolated.sock');
  const config = join(daemon.folder, 'isolated.json');
  await writeFile(config, '{}');
  const script = [
    'node=$1 daemon=$2 root=$3 run=$4 config=$5 socket=$6 docker=$7',
    '"$node" "$daemon" --data-root "$root" --exec-root "$run" --config-file "$config" --pidfile "$config.pid" -H "unix://$socket" >"$config.log" 2>&1 & pid=$!',
    'n=0; until "$docker" -H "unix://$socket" version >/dev/null 2>&1 || [ $n -gt 100 ]; do n=$((n+1)); read -t 0.1 _ <>/dev/zero || :; done',
    '"$docker" -H "unix://$socket" run --rm hello-world; code=$?',
    'kill $pid; wait $pid; exit $code',
  ].join('\n');
  const root = join(import.meta.dirname, '../..');
  const { code, stdout, stderr } = await command('unshare', [
    ...['-n', 'bash', '-c', script, 'sh', join(root, 'node_modules/.bin/node'), join(root, 'dist/wharfd.js')],
    ...[daemon.dataRoot, daemon.runFolder, config, socket, dockerProgram()],
  ]);
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /Hello from/);
});
