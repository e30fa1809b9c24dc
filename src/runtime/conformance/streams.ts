import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { attachAll, eventually, Output, type Each } from './bench.ts';

export function inputs(each: Each): void {
  each('stdin ends with its first attachment where it is to', async (bench) => {
    const { output, exit } = await bench.complete('stdin', ['cat'], {
      openStdin: true,
      stdinOnce: true,
      input: 'in and out',
    });
    assert.equal(output.stdout, 'in and out');
    assert.equal(exit.state.exitCode, 0);
    await bench.runtime.delete('stdin');
  });

  each('stdin that ends before the process begins is empty', async (bench) => {
    const options = bench.container('early', ['cat'], { openStdin: true, stdinOnce: true });
    const stream = await bench.runtime.attach({ containerId: 'early', ...attachAll });
    const output = new Output(stream, false);
    stream.end();
    await delay(50);
    await bench.runtime.run(options);
    assert.equal((await bench.exitOf('early')).state.exitCode, 0);
    await output.ended;
    assert.equal(output.stdout, '');
    await bench.runtime.delete('early');
  });

  each('stdin of large size arrives whole', async (bench) => {
    const input = 'line of input\n'.repeat(200_000);
    const { output, exit } = await bench.complete('big', ['cat'], {
      openStdin: true,
      stdinOnce: true,
      input,
    });
    assert.equal(output.stdout.length, input.length);
    assert.equal(output.stdout, input);
    assert.equal(exit.state.exitCode, 0);
    await bench.runtime.delete('big');
  });

  each('stdin stays open for the next attachment otherwise', async (bench) => {
    const options = bench.container('open', ['sh', '-c', 'read a; read b; echo "$a $b"'], {
      openStdin: true,
    });
    await bench.runtime.run(options);
    for (const word of ['one\n', 'two\n']) {
      const stream = await bench.runtime.attach({ containerId: 'open', ...attachAll });
      const output = new Output(stream, false);
      stream.end(word);
      await output.ended;
    }
    assert.equal((await bench.exitOf('open')).state.exitCode, 0);
    assert.deepEqual(bench.logOf('open'), ['one two\n']);
    await bench.runtime.delete('open');
  });

  each('stdin can be opened again by name after it has ended', async (bench) => {
    const script = 'sleep 0.2; cat /dev/stdin; cat /dev/stdin; ls -l /proc/self/fd/0 | grep -c "pipe:"';
    const { output } = await bench.complete('again', ['sh', '-c', script], {
      openStdin: true,
      stdinOnce: true,
      input: 'words\n',
    });
    assert.equal(output.stdout, 'words\n1\n');
    await bench.runtime.delete('again');
  });

  each('stdin is empty where it is not open', async (bench) => {
    const { output } = await bench.complete('null', ['cat']);
    assert.equal(output.stdout, '');
    await bench.runtime.delete('null');
  });
}

export function terminals(each: Each): void {
  each('a terminal echoes, has its size and can be resized', async (bench) => {
    const stream = await bench.runtime.attach({ containerId: 'tty', ...attachAll });
    const output = new Output(stream, true);
    await bench.runtime.run(
      bench.container('tty', ['sh', '-c', 'stty size; read x; stty size; read y; exit 4'], {
        tty: true,
        openStdin: true,
        consoleSize: [33, 101],
      }),
    );
    await eventually(() => output.stdout.includes('33 101\r\n'));
    await bench.runtime.resize('tty', { rows: 40, columns: 120 });
    stream.write('go\n');
    await eventually(() => output.stdout.includes('go\r\n40 120\r\n'));
    stream.write('\n');
    assert.equal((await bench.exitOf('tty')).state.exitCode, 4);
    await output.ended;
    await assert.rejects(bench.runtime.resize('tty', { rows: 1, columns: 1 }), { kind: 'notFound' });
    await bench.runtime.delete('tty');
  });

  each('an exec with a terminal works', async (bench) => {
    await bench.runtime.run(bench.container('ttyhost', ['sleep', '1000']));
    const stream = await bench.runtime.attach({ containerId: 'ttyhost', execId: 't', ...attachAll });
    const output = new Output(stream, true);
    await bench.runtime.exec(
      bench.exec(
        'ttyhost',
        't',
        ['sh', '-c', 'sleep 0.1; stty size; stat -L -c "by %u" $(tty); read x; echo "<$x>"'],
        {
          tty: true,
          openStdin: true,
          consoleSize: [20, 60],
          uid: 1000,
        },
      ),
    );
    await eventually(() => output.stdout.includes('20 60'));
    await eventually(() => output.stdout.includes('by 1000'));
    stream.write('abc\n');
    assert.equal((await bench.exitOf('ttyhost', 't')).state.exitCode, 0);
    await output.ended;
    assert.match(output.stdout, /<abc>/);
    await bench.runtime.delete('ttyhost');
  });
}

export function outputs(each: Each): void {
  each('several attachments see the same', async (bench) => {
    const outputs: Output[] = [];
    for (const options of [
      { stdin: false, stdout: true, stderr: false },
      { stdin: false, stdout: false, stderr: true },
      { stdin: false, stdout: true, stderr: true },
    ]) {
      outputs.push(new Output(await bench.runtime.attach({ containerId: 'many', ...options }), false));
    }
    const gone = await bench.runtime.attach({ containerId: 'many', ...attachAll });
    gone.destroy();
    await bench.runtime.run(bench.container('many', ['sh', '-c', 'echo o; echo e >&2']));
    await Promise.all(outputs.map((output) => output.ended));
    assert.deepEqual(
      outputs.map(({ stdout, stderr }) => [stdout, stderr]),
      [
        ['o\n', ''],
        ['', 'e\n'],
        ['o\n', 'e\n'],
      ],
    );
    await bench.exitOf('many');
    await bench.runtime.delete('many');
  });

  each('much output comes whole, to a slow reader too', async (bench) => {
    const count = 150_000;
    const stream = await bench.runtime.attach({ containerId: 'much', ...attachAll });
    await bench.runtime.run(bench.container('much', ['seq', `${count}`]));
    await eventually(async () => (await bench.runtime.pids('much').catch(() => [])).length > 0);
    const output = new Output(stream, false);
    await output.ended;
    const lines = output.stdout.split('\n');
    assert.equal(lines.length, count + 1);
    assert.equal(lines[count - 1], `${count}`);
    await bench.exitOf('much');
    assert.equal(bench.logOf('much').length, count);
    await bench.runtime.delete('much');
  });

  each('output held open by a child in the background ends soon after the exec', async (bench) => {
    await bench.runtime.run(bench.container('bg', ['sleep', '1000']));
    const stream = await bench.runtime.attach({ containerId: 'bg', execId: 'e', ...attachAll });
    const output = new Output(stream, false);
    await bench.runtime.exec(bench.exec('bg', 'e', ['sh', '-c', 'echo started; sleep 1000 & exit 6']));
    assert.equal((await bench.exitOf('bg', 'e')).state.exitCode, 6);
    await output.ended;
    assert.equal(output.stdout, 'started\n');
    await bench.runtime.delete('bg');
  });
}
