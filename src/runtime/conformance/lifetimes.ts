import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { attachAll, eventually, Output, type Each } from './bench.ts';

const { SIGKILL } = constants.signals;

export function daemons(each: Each): void {
  each('exits wait for the next daemon', async (bench) => {
    const { pid } = await bench.runtime.run(
      bench.container('later', [
        'sh',
        '-c',
        'trap "echo bye; exit 8" TERM; echo ready; while :; do sleep 0.01; done',
      ]),
    );
    await bench.runtime.run(bench.container('stays', ['sleep', '1000']));
    await eventually(() => bench.logOf('later').includes('ready\n'));
    bench.exits.length = 0;
    await bench.reconnect(async () => {
      process.kill(pid, 'SIGTERM');
      await eventually(() => bench.logOf('later').includes('bye\n'));
    });
    assert.equal((await bench.exitOf('later')).state.exitCode, 8);
    const states = (await bench.runtime.list()).map(({ containerId, state }) => [containerId, state.status]);
    assert.deepEqual(states.toSorted(), [
      ['later', 'exited'],
      ['stays', 'running'],
    ]);
    await bench.reconnect();
    assert.equal(bench.exits.length, 1, 'an acknowledged exit is not told again');
    await bench.runtime.delete('later');
    await bench.runtime.delete('stays');
  });

  each('fifty runs leak nothing', async (bench) => {
    const before = bench.census();
    const ids = Array.from({ length: 50 }, (_, index) => `leak${index}`);
    await Promise.all(
      ids.map(async (id, index) => {
        const { exit } = await bench.complete(id, ['sh', '-c', `echo ${id}; exit ${index}`], {
          tty: index % 5 === 0,
        });
        assert.equal(exit.state.exitCode, index);
        await bench.runtime.delete(id);
      }),
    );
    await eventually(() => {
      const { fds, children, cgroups, files } = bench.census();
      // Connections that earlier tests left may have closed meanwhile.
      return fds <= before.fds && children === 0 && cgroups === 0 && files.length === 0;
    });
    assert.deepEqual(await bench.runtime.list(), []);
  });
}

export function upgrades(each: Each): void {
  each('upgrade() keeps processes, streams and exit codes', async (bench) => {
    const chatty = await bench.runtime.attach({ containerId: 'chatty', ...attachAll });
    const chat = new Output(chatty, false);
    const last = 30_000;
    const loop = `i=0; while [ $i -lt ${last} ]; do i=$((i+1)); echo $i; done; read x; echo "<$x>"; exit 7`;
    await bench.runtime.run(
      bench.container('chatty', ['sh', '-c', loop], { openStdin: true, stdinOnce: true }),
    );
    const terminal = await bench.runtime.attach({ containerId: 'term', ...attachAll });
    const term = new Output(terminal, true);
    await bench.runtime.run(
      bench.container('term', ['sh', '-c', 'while read x; do echo "<$x>"; done'], {
        tty: true,
        openStdin: true,
      }),
    );
    const parked = await bench.runtime.attach({ containerId: 'afterwards', ...attachAll });
    const after = new Output(parked, false);
    const pid = bench.supervisorPid;
    for (let round = 0; round < 3; round += 1) {
      await bench.runtime.upgrade();
      assert.equal(bench.supervisorPid, pid);
      terminal.write(`round ${round}\n`);
      await eventually(() => term.stdout.includes(`<round ${round}>`));
      await bench.runtime.resize('term', { rows: 30 + round, columns: 100 });
    }
    chatty.end('last words\n');
    assert.equal((await bench.exitOf('chatty')).state.exitCode, 7);
    await chat.ended;
    const numbers = chat.stdout.split('\n');
    assert.equal(numbers.length, last + 2);
    for (let index = 0; index < last; index += 1) assert.equal(numbers[index], `${index + 1}`);
    assert.equal(numbers[last], '<last words>');
    assert.deepEqual(
      bench.logOf('chatty').map((line) => line.trimEnd()),
      numbers.slice(0, -1),
    );
    await bench.runtime.run(bench.container('afterwards', ['echo', 'from the first byte']));
    await after.ended;
    assert.equal(after.stdout, 'from the first byte\n');
    for (const id of ['chatty', 'term', 'afterwards']) await bench.runtime.delete(id);
  });
}

export function killedSupervisors(each: Each): void {
  each('a killed supervisor is replaced; containers run on, lost exits are unknown', async (bench) => {
    await bench.runtime.run(
      bench.container('survivor', ['sh', '-c', 'while :; do echo x; sleep 0.02; done']),
    );
    await bench.runtime.run(bench.container('victim', ['sleep', '1000']));
    await bench.runtime.run(bench.container('known', ['sh', '-c', 'exit 4']));
    await bench.exitOf('known');
    bench.exits.length = 0;
    const victim = (await bench.runtime.list()).find(({ containerId }) => containerId === 'victim');
    await bench.reconnect(async () => {
      await bench.killSupervisor();
      process.kill(victim?.state.pid ?? 0, 'SIGKILL');
      await eventually(() => bench.isGone(victim?.state.pid ?? 0));
    });
    const states = new Map(
      (await bench.runtime.list()).map(({ containerId, state }) => [containerId, state]),
    );
    assert.equal(states.get('survivor')?.status, 'running');
    const known = states.get('known');
    assert.equal(known?.status === 'exited' ? known.exitCode : undefined, 4);
    const lost = await bench.exitOf('victim');
    assert.equal(lost.state.exitCode, undefined);
    const before = bench.logOf('survivor').length;
    await eventually(() => bench.logOf('survivor').length > before + 3);
    await bench.runtime.exec(bench.exec('survivor', 'e', ['sh', '-c', 'exit 2']));
    assert.equal((await bench.exitOf('survivor', 'e')).state.exitCode, 2);
    await bench.runtime.kill('survivor', SIGKILL);
    // No child of the new supervisor: older kernels do not tell once its parent has reaped it.
    assert.ok([128 + SIGKILL, undefined].includes((await bench.exitOf('survivor')).state.exitCode));
    for (const id of states.keys()) await bench.runtime.delete(id);
  });

  each('a supervisor killed under a living daemon is started again', async (bench) => {
    await bench.runtime.run(bench.container('kept', ['sleep', '1000']));
    const pid = bench.supervisorPid;
    await bench.killSupervisor();
    await eventually(async () => (await bench.runtime.list().catch(() => [])).length === 1);
    assert.notEqual(bench.supervisorPid, pid);
    await bench.runtime.delete('kept');
  });
}
