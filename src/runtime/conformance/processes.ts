import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { eventually, Output, attachAll, type Each } from './bench.ts';

const { SIGKILL, SIGTERM, SIGUSR1 } = constants.signals;

export function mainProcesses(each: Each): void {
  each('run() delivers output, log and exit code', async (bench) => {
    const { output, exit, log } = await bench.complete('basic', [
      'sh',
      '-c',
      'echo out; echo err >&2; exit 3',
    ]);
    assert.equal(output.stdout, 'out\n');
    assert.equal(output.stderr, 'err\n');
    assert.equal(exit.state.exitCode, 3);
    assert.equal(exit.oomKilled, false);
    assert.ok(exit.state.exitedAt > exit.state.startedAt);
    assert.deepEqual(log.toSorted(), ['err\n', 'out\n']);
    const [task] = await bench.runtime.list();
    assert.equal(task?.state.status, 'exited');
    await bench.runtime.delete('basic');
    await bench.runtime.delete('basic');
    assert.deepEqual(await bench.runtime.list(), []);
  });

  each('run() again after delete() is a new process', async (bench) => {
    for (const code of [1, 2]) {
      bench.exits.length = 0;
      const { exit } = await bench.complete('again', ['sh', '-c', `exit ${code}`]);
      assert.equal(exit.state.exitCode, code);
      await bench.runtime.delete('again');
    }
  });

  each('kill() reports 128 + signal, and notFound afterwards', async (bench) => {
    await bench.runtime.run(bench.container('killed', ['sleep', '1000']));
    await bench.runtime.kill('killed', SIGKILL);
    const exit = await bench.exitOf('killed');
    assert.equal(exit.state.exitCode, 128 + SIGKILL);
    await assert.rejects(bench.runtime.kill('killed', SIGTERM), { kind: 'notFound' });
    await bench.runtime.delete('killed');
  });

  each('kill() reaches the program', async (bench) => {
    const stream = await bench.runtime.attach({ containerId: 'trap', ...attachAll });
    const output = new Output(stream, false);
    await bench.runtime.run(
      bench.container('trap', [
        'sh',
        '-c',
        'trap "echo usr1; exit 5" USR1; echo ready; while :; do sleep 0.01; done',
      ]),
    );
    await eventually(() => output.stdout === 'ready\n');
    await bench.runtime.kill('trap', SIGUSR1);
    assert.equal((await bench.exitOf('trap')).state.exitCode, 5);
    await output.ended;
    assert.equal(output.stdout, 'ready\nusr1\n');
    await bench.runtime.delete('trap');
  });
}

export function otherEnds(each: Each): void {
  each('delete() ends what runs', async (bench) => {
    await bench.runtime.run(
      bench.container('running', ['sh', '-c', 'trap "" TERM INT; while :; do sleep 1; done']),
    );
    await bench.runtime.delete('running');
    assert.equal((await bench.exitOf('running')).state.exitCode, 137);
    assert.deepEqual(await bench.runtime.list(), []);
    assert.equal(bench.census().cgroups, 0);
  });

  each('pause() stops a container, resume() lets it go on, delete() ends a paused one', async (bench) => {
    const stream = await bench.runtime.attach({ containerId: 'paused', ...attachAll });
    const output = new Output(stream, false);
    await bench.runtime.run(bench.container('paused', ['sh', '-c', 'while :; do echo x; sleep 0.01; done']));
    await eventually(() => output.stdout.length > 4);
    await bench.runtime.pause('paused');
    const { pids } = { pids: await bench.runtime.pids('paused') };
    assert.ok(pids.length > 0);
    await bench.runtime.resume('paused');
    const seen = output.stdout.length;
    await eventually(() => output.stdout.length > seen);
    await bench.runtime.pause('paused');
    await bench.runtime.delete('paused');
    await output.ended;
  });

  each('the OOM killer is told of', async (bench) => {
    const { exit } = await bench.complete(
      'oom',
      ['sh', '-c', 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'],
      { resources: { memory: { limit: 16 * 1024 * 1024, swap: 16 * 1024 * 1024 } } },
    );
    assert.equal(exit.oomKilled, true);
    assert.equal(exit.state.exitCode, 137);
    await bench.runtime.delete('oom');
  });
}

export function execs(each: Each): void {
  each('exec() runs beside the main process', async (bench) => {
    await bench.runtime.run(bench.container('host', ['sleep', '1000']));
    const stream = await bench.runtime.attach({ containerId: 'host', execId: 'e1', ...attachAll });
    const output = new Output(stream, false);
    const { pid } = await bench.runtime.exec(
      bench.exec('host', 'e1', ['sh', '-c', 'cat; echo done >&2; exit 9'], { openStdin: true }),
    );
    assert.ok(pid > 0);
    stream.end('to the exec');
    assert.equal((await bench.exitOf('host', 'e1')).state.exitCode, 9);
    await output.ended;
    assert.equal(output.stdout, 'to the exec');
    assert.equal(output.stderr, 'done\n');
    assert.equal((await bench.runtime.pids('host')).length, 1);
    await bench.runtime.deleteExec('host', 'e1');
    assert.equal((await bench.runtime.list()).length, 1);
    await bench.runtime.delete('host');
  });

  each('exec() dies with its container, and is told of', async (bench) => {
    await bench.runtime.run(bench.container('both', ['sleep', '1000']));
    await bench.runtime.exec(bench.exec('both', 'e1', ['sleep', '1000']));
    assert.equal((await bench.runtime.pids('both')).length, 2);
    await bench.runtime.kill('both', SIGKILL);
    await bench.exitOf('both');
    assert.equal((await bench.exitOf('both', 'e1')).state.exitCode, 137);
    await bench.runtime.delete('both');
    assert.deepEqual(await bench.runtime.list(), []);
  });

  each('exec() signals only its own process', async (bench) => {
    await bench.runtime.run(bench.container('sig', ['sleep', '1000']));
    await bench.runtime.exec(bench.exec('sig', 'e1', ['sleep', '1000']));
    await bench.runtime.kill('sig', SIGKILL, 'e1');
    assert.equal((await bench.exitOf('sig', 'e1')).state.exitCode, 137);
    assert.equal((await bench.runtime.pids('sig')).length, 1);
    await bench.runtime.delete('sig');
  });
}
