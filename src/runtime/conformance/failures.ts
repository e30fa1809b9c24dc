import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { EngineError } from '#kernel';
import { attachAll, type Each } from './bench.ts';

export function failures(each: Each): void {
  const create =
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';
  const exec = 'OCI runtime exec failed: exec failed: unable to start container process: ';
  const cases: [string[], string][] = [
    [['nosuch'], 'exec: "nosuch": executable file not found in $PATH'],
    [[''], 'exec: "": executable file not found in $PATH'],
    [['/no/such'], 'exec: "/no/such": stat /no/such: no such file or directory'],
    [['/tmp/plain'], 'exec: "/tmp/plain": permission denied'],
    [['/tmp'], 'exec: "/tmp": permission denied'],
  ];
  for (const [args, message] of cases) {
    each(`run() refuses ${JSON.stringify(args)} in Docker's words and leaves nothing`, async (bench) => {
      const stream = await bench.runtime.attach({ containerId: 'bad', ...attachAll });
      await assert.rejects(bench.runtime.run(bench.container('bad', args)), (error) => {
        assert.ok(error instanceof EngineError);
        assert.equal(error.message, create + message);
        assert.equal(error.kind, 'invalidArgument');
        return true;
      });
      stream.destroy();
      assert.deepEqual(await bench.runtime.list(), []);
      const { cgroups, files } = bench.census();
      assert.deepEqual([cgroups, files], [0, []]);
    });
  }

  each('delete() ends the attachments to what was never started', async (bench) => {
    const stream = await bench.runtime.attach({ containerId: 'never', ...attachAll });
    await bench.runtime.delete('never');
    assert.equal((await buffer(stream)).length, 0);
    stream.destroy();
  });

  each("exec() refuses in Docker's words", async (bench) => {
    await bench.runtime.run(bench.container('refuse', ['sleep', '1000']));
    for (const [index, [args, message]] of cases.entries()) {
      await assert.rejects(bench.runtime.exec(bench.exec('refuse', `e${index}`, args)), {
        kind: 'invalidArgument',
        message: exec + message,
      });
    }
    assert.equal((await bench.runtime.list()).length, 1);
    await bench.runtime.delete('refuse');
  });

  each('exec() into nothing is notFound', async (bench) => {
    await assert.rejects(bench.runtime.exec(bench.exec('nobody', 'e', ['true'])), { kind: 'notFound' });
  });

  each('run() refuses a second process of the same name', async (bench) => {
    await bench.runtime.run(bench.container('twice', ['sleep', '1000']));
    await assert.rejects(bench.runtime.run(bench.container('twice', ['sleep', '1000'])), {
      kind: 'conflict',
    });
    assert.equal((await bench.runtime.pids('twice')).length, 1);
    await bench.runtime.delete('twice');
  });
}
