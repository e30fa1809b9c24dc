import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answers, findPid, startDaemon, stopDaemon } from './lifecycle.ts';
import type { DaemonPlaces } from './lifecycle.ts';

/** Listens on the socket given first, writes the file behind --pidfile, ends orderly. */
const program = `
const { writeFileSync, rmSync } = require('node:fs');
const [socket, , pidfile, ...rest] = process.argv.slice(2);
console.log('starting with ' + rest.join(' '));
if (rest.includes('--fail')) { console.error('no such thing'); process.exit(3); }
const server = require('node:http').createServer((_, response) => response.end('OK'));
server.listen(socket, () => writeFileSync(pidfile, process.pid + '\\n'));
process.on('SIGTERM', () => { rmSync(pidfile); process.exit(0); });
`;

function prepare(): DaemonPlaces & { readonly command: readonly [string, ...string[]] } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'daemon-'));
  const script = join(folder, 'daemon.cjs');
  writeFileSync(script, program);
  chmodSync(script, 0o755);
  const socket = join(folder, 'run.sock');
  return {
    socket,
    pidFile: join(folder, 'run', 'daemon.pid'),
    logFile: join(folder, 'log', 'daemon.log'),
    command: [process.execPath, script, socket],
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

test('startDaemon() returns once the engine answers, stopDaemon() once it has ended', async () => {
  using places = prepare();
  const pid = await startDaemon({ ...places, args: ['--debug'] });
  assert.ok(await answers(places.socket));
  const deadline = Date.now() + 5000;
  while (findPid(places) === undefined && Date.now() < deadline) await new Promise(setImmediate);
  assert.equal(findPid(places), pid);
  assert.match(readFileSync(places.logFile, 'utf8'), /starting with --debug/);
  assert.equal(await stopDaemon(places), pid);
  assert.equal(findPid(places), undefined);
  assert.equal(await answers(places.socket), false);
  assert.equal(await stopDaemon(places), undefined);
});

test('startDaemon() tells why the engine did not come up', async () => {
  using places = prepare();
  await assert.rejects(startDaemon({ ...places, args: ['--fail'] }), (error: Error) => {
    assert.match(error.message, /did not start: exit status 3\nstarting with --fail\nno such thing$/);
    return true;
  });
});

test('startDaemon() takes an engine that was faster for its own', async () => {
  using places = prepare();
  const pid = await startDaemon({ ...places, args: [] });
  assert.ok((await startDaemon({ ...places, args: ['--fail'] })) > 0);
  const deadline = Date.now() + 5000;
  while (findPid(places) === undefined && Date.now() < deadline) await new Promise(setImmediate);
  assert.equal(await stopDaemon(places), pid);
});
