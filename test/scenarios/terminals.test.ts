/** Programs that need a real terminal, under both command lines, and attachments over WebSockets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, WebSocket } from 'undici';
import {
  answerOf,
  busyboxArchive,
  dockerProgram,
  eventually,
  startDaemon,
  Terminal,
  wharfProgram,
  type Daemon,
} from '../setup/index.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await succeed('load', '-q', '-i', await busyboxArchive());
  await succeed('run', '-d', '--name', 'host', 'busybox', 'sleep', '1000');
});
after(() => daemon[Symbol.asyncDispose]());

function succeed(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

/** Where the last line of a terminal with so many rows is written. */
const lastRow = (rows: number): RegExp => new RegExp(`\\x1b\\[${rows};1H`);

/** Writes a file with vi, in a window that grows meanwhile. */
async function edit(terminal: Terminal): Promise<void> {
  await terminal.expect(lastRow(24));
  terminal.type('ifirst line\rsecond\x1b');
  await terminal.expect(/second/);
  await terminal.resize({ rows: 41, columns: 120 });
  await eventually(async () => {
    terminal.type('\x0c');
    await terminal.expect(lastRow(41), 500);
    return true;
  });
  terminal.type('x:wq\r');
  assert.equal(await terminal.exitCode(), 0);
}

const programs = [
  ['docker', dockerProgram],
  ['wharf', wharfProgram],
] as const;

for (const [client, program] of programs) {
  const open = (...args: string[]): Terminal => new Terminal(program(), args, { env: daemon.env });

  test(`${client}: vi edits a file in run -it and in exec -it, and follows the window`, async () => {
    await using ran = open('run', '-it', '--name', 'editor', 'busybox', 'vi', '/tmp/file');
    await edit(ran);
    await succeed('commit', 'editor', 'edited');
    assert.equal(await succeed('run', '--rm', 'edited', 'cat', '/tmp/file'), 'first line\nsecon');
    await succeed('rm', 'editor');
    await using executed = open('exec', '-it', 'host', 'vi', `/tmp/${client}`);
    await edit(executed);
    assert.equal(await succeed('exec', 'host', 'cat', `/tmp/${client}`), 'first line\nsecon');
  });

  test(`${client}: top paints anew, listens to keys and ends`, async () => {
    for (const args of [
      ['run', '--rm', '-it', 'busybox', 'top', '-d', '1'],
      ['exec', '-it', 'host', 'top', '-d', '1'],
    ]) {
      await using terminal = open(...args);
      await terminal.expect(/Load average:[^]*PID +PPID +USER[^]*\btop -d 1/);
      await terminal.expect(/Load average:/);
      terminal.type('q');
      assert.equal(await terminal.exitCode(), 0);
    }
  });

  test(`${client}: a pager fills the window and a page turns with a key`, async () => {
    await using terminal = open('exec', '-it', 'host', 'sh', '-c', 'seq 1 200 | less');
    await terminal.expect(/K23\r\n/);
    assert.doesNotMatch(terminal.output, /K40\r/);
    terminal.type(' ');
    await terminal.expect(/K40\r\n/);
    terminal.type('q');
    assert.equal(await terminal.exitCode(), 0);
  });

  test(`${client}: ctrl-z and ctrl-c are the shell's, jobs come back`, async () => {
    for (const args of [
      ['run', '--rm', '-it', 'busybox'],
      ['exec', '-it', 'host', 'sh'],
    ]) {
      await using terminal = open(...args);
      await terminal.expect(/# /);
      terminal.type("sh -c 'echo as''leep; sleep 1000'\r");
      await terminal.expect(/asleep\r\n/);
      terminal.type('\x1a');
      await terminal.expect(/\[1\]\+ +Stopped/);
      terminal.type('fg\r');
      // The shell names the job it has put in front.
      await terminal.expect(/fg\r\n.*sleep 1000.*\r\n/);
      terminal.type('\x03');
      await terminal.expect(/# /);
      terminal.type('echo code $?; exit 9\r');
      await terminal.expect(/code 130\r\n/);
      assert.equal(await terminal.exitCode(), 9);
    }
  });

  test(`${client}: the size is there from the first moment of an exec`, async () => {
    const size = { rows: 37, columns: 99 };
    await using terminal = new Terminal(program(), ['exec', '-it', 'host', 'stty', 'size'], {
      env: daemon.env,
      size,
    });
    await terminal.expect(/37 99\r\n/);
    assert.equal(await terminal.exitCode(), 0);
  });

  test(`${client}: ctrl-p ctrl-q leaves run and exec, half of it does not`, async () => {
    await using ran = open('run', '-it', '--name', 'left', 'busybox');
    await ran.expect(/# /);
    ran.type('\x10x');
    ran.type('\x10\x11');
    assert.equal(await ran.exitCode(), 0);
    assert.equal(await succeed('inspect', '-f', '{{.State.Running}}', 'left'), 'true');
    await using executed = open('exec', '-it', '--detach-keys', 'ctrl-e,e', 'left', 'sh');
    await executed.expect(/# /);
    executed.type('sleep 1000\r');
    executed.type('\x05e');
    await executed.exitCode();
    await eventually(async () => /sleep 1000/.test(await succeed('top', 'left')));
    await succeed('rm', '-f', 'left');
  });
}

/** A client's end of a WebSocket, with what has come so far. */
interface Channel {
  readonly socket: WebSocket;
  readonly text: () => string;
  /** The code with which the engine closed it. */
  readonly closed: Promise<number>;
}

function dial(name: string, query: string): Promise<Channel> {
  const { promise, resolve, reject } = Promise.withResolvers<Channel>();
  const dispatcher = new Agent({ connect: { socketPath: daemon.socket } });
  const socket = new WebSocket(`ws://engine/v1.45/containers/${name}/attach/ws?${query}`, { dispatcher });
  socket.binaryType = 'arraybuffer';
  let text = '';
  const closed = new Promise<number>((settle) => {
    socket.addEventListener('close', ({ code }) => {
      void dispatcher.close();
      settle(code);
    });
  });
  socket.addEventListener('message', ({ data }) => {
    text += typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString();
  });
  socket.addEventListener('error', ({ message }) => reject(new Error(message)));
  socket.addEventListener('open', () => resolve({ socket, text: () => text, closed }));
  return promise;
}

test('a WebSocket is a terminal: keys, output, size, its own end and the container’s', async () => {
  await succeed('run', '-dit', '--name', 'ws-tty', 'busybox');
  const first = await dial('ws-tty', 'stream=1&stdin=1&stdout=1&stderr=1');
  first.socket.send('x=kept\r');
  first.socket.send(Buffer.from("echo typed $((20+3)); trap 'stty size' WINCH; echo re''ady\r"));
  await eventually(() => /typed 23\r\n[^]*ready\r\n/.test(first.text()), { what: 'the output' });
  assert.equal((await daemon.call('POST', '/containers/ws-tty/resize?h=35&w=111')).status, 200);
  await eventually(() => {
    first.socket.send('stty size\r');
    return first.text().includes('35 111\r\n');
  });
  first.socket.close();
  await first.closed;
  const second = await dial('ws-tty', 'stream=1&stdin=1&stdout=1&logs=1');
  second.socket.send('echo again $x; exit 4\r');
  assert.equal(await second.closed, 1000);
  assert.match(second.text(), /typed 23\r\n[^]*again kept\r\n/);
  assert.equal(await succeed('wait', 'ws-tty'), '4');
  await succeed('rm', 'ws-tty');
});

test('a WebSocket carries stdin and output of a container without a terminal, unframed', async () => {
  const script = 'while read line; do echo "<$line>"; echo "!$line" >&2; done; echo over';
  await succeed('create', '-i', '--name', 'ws-pipe', 'busybox', 'sh', '-c', script);
  const channel = await dial('ws-pipe', 'stream=1&stdin=1&stdout=1&stderr=1');
  await succeed('start', 'ws-pipe');
  channel.socket.send('one\n');
  await eventually(() => /<one>\n/.test(channel.text()) && /!one\n/.test(channel.text()));
  const big = 'x'.repeat(300_000);
  channel.socket.send(`${big}\n`);
  await eventually(() => channel.text().length > 600_000, { what: 'a long line' });
  assert.ok(channel.text().includes(`<${big}>`));
  channel.socket.close();
  await channel.closed;
  assert.match(await succeed('logs', 'ws-pipe'), /^<one>/);
  await succeed('rm', '-f', 'ws-pipe');
  await assert.rejects(dial('missing', 'stream=1'), /.*/);
});

test('a WebSocket and an attached command see the same output', async () => {
  await succeed('run', '-di', '--name', 'both', 'busybox', 'cat');
  const channel = await dial('both', 'stream=1&stdin=1&stdout=1');
  await using terminal = new Terminal(dockerProgram(), ['attach', 'both'], { env: daemon.env });
  terminal.type('typed\r');
  await terminal.expect(/typed\r\n[^]*typed\r\n/);
  await eventually(() => channel.text() === 'typed\n');
  channel.socket.send('sent\n');
  await terminal.expect(/sent\r\n/);
  await eventually(() => channel.text() === 'typed\nsent\n');
  channel.socket.close();
  await succeed('rm', '-f', 'both');
});
