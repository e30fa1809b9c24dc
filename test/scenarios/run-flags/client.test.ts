import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before } from 'node:test';
import { dockerProgram, eventually, Terminal, wharfProgram } from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { covers, wharf } from './covers.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const reference = process.env['WHARF_TEST_HOST'] !== undefined;
const ours = { skip: reference && 'only of this engine' };
const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', ...flags, 'busybox', 'true');
/** The docker command line and ours, by name. */
const clients = () => ({ docker: engine.try, wharf: wharf(engine) });
const programs = (): Record<string, string> => ({ docker: dockerProgram(), wharf: wharfProgram() });
const both = ['busybox', 'sh', '-c', 'echo out; echo err >&2'];
const running = (name: string): Promise<string> => engine.inspect(name, '{{.State.Running}}');

covers('--attach --interactive', 'only the streams named are joined', async () => {
  for (const [name, run] of Object.entries(clients())) {
    const streams = async (flags: readonly string[], command = both, input = 'in\n'): Promise<string> => {
      const { code, stdout, stderr } = await run(['run', '--rm', ...flags, ...command], { input });
      assert.equal(code, 0, `${name}: ${stderr}`);
      return `${stdout}|${stderr}`;
    };
    const cat = ['busybox', 'cat'];
    assert.equal(await streams(['-a', 'stdout']), 'out\n|', name);
    assert.equal(await streams(['--attach', 'STDERR']), '|err\n', name);
    assert.equal(await streams(['-a', 'stdout', '-a', 'stderr']), 'out\n|err\n', name);
    assert.equal(await streams(['-a', 'stdin', '-a', 'stdout', '-i'], cat), 'in\n|', name);
    assert.equal(await streams(['--interactive'], cat), 'in\n|', name);
    assert.equal(await streams([], cat), '|', name);
    const wrong = await run(['run', '--rm', '-a', 'foo', 'busybox']);
    assert.equal(wrong.code, 125);
    assert.match(wrong.stderr, /valid streams are STDIN, STDOUT and STDERR/);
  }
});

covers(
  '--interactive',
  'stdin is opened once: its end is the program’s, and another attach finds it closed',
  async () => {
    const { stdout } = await engine.try(
      ['run', '-i', '--name', 'rf-once', 'busybox', 'sh', '-c', 'cat; echo end'],
      {
        input: 'text\n',
      },
    );
    assert.equal(stdout, 'text\nend\n');
    assert.equal(await engine.inspect('rf-once', '{{.Config.OpenStdin}} {{.Config.StdinOnce}}'), 'true true');
    await engine.docker('rm', 'rf-once');
    await engine.docker('run', '-di', '--name', 'rf-open', 'busybox', 'cat');
    assert.equal(
      await engine.inspect('rf-open', '{{.Config.OpenStdin}} {{.Config.StdinOnce}}'),
      'true false',
    );
    await engine.docker('rm', '-f', 'rf-open');
  },
);

covers('--detach', 'prints the id and leaves the container running', async () => {
  for (const run of Object.values(clients())) {
    const { stdout } = await run(['run', '--detach', 'busybox', 'sleep', '1000']);
    assert.match(stdout, /^[0-9a-f]{64}\n$/);
    assert.equal(await running(stdout.trim()), 'true');
    await engine.docker('rm', '-f', stdout.trim());
    const wrong = await run(['run', '-d', '-a', 'stdout', 'busybox']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /conflicting options: cannot specify both --attach and --detach/);
  }
});

covers('--detach-keys --tty', 'leave the container running, and are checked', async () => {
  for (const [name, program] of Object.entries(programs())) {
    const keys = ['--detach-keys', 'ctrl-a,d', '--name', 'rf-keys'];
    await using terminal = new Terminal(program, ['run', '-it', ...keys, 'busybox'], { env: engine.env });
    await terminal.expect(/# /);
    terminal.type('\x10\x11echo still here\r');
    await terminal.expect(/still here\r\n/);
    terminal.type('\x01d');
    assert.equal(await terminal.exitCode(), 0, name);
    assert.equal(await running('rf-keys'), 'true', name);
    await engine.docker('rm', '-f', 'rf-keys');
  }
  for (const run of Object.values(clients())) {
    const { code } = await run(['run', '--rm', '--detach-keys', 'foo', 'busybox', 'true']);
    assert.equal(code, 1);
  }
});

covers('--tty', 'gives a terminal with TERM and the size of the window', async () => {
  assert.match(await engine.script(['-t'], 'tty; echo $TERM'), /^\/dev\/(pts\/0|console)\r\nxterm\r?$/);
  assert.equal(await engine.script(['--tty', '-e', 'TERM=foo'], 'echo $TERM'), 'foo\r');
  for (const program of Object.values(programs())) {
    const size = { rows: 33, columns: 101 };
    const command = ['run', '--rm', '-it', 'busybox', 'stty', 'size'];
    await using terminal = new Terminal(program, command, { env: engine.env, size });
    await terminal.expect(/33 101\r\n/);
    assert.equal(await terminal.exitCode(), 0);
  }
});

covers('--sig-proxy', 'signals reach the program, unless they are not to', async () => {
  const script = "trap 'echo got; exit 9' USR2; echo ready; while :; do sleep 0.1; done";
  for (const [name, program] of Object.entries(programs())) {
    for (const proxied of [true, false]) {
      const flags = ['run', '--name', 'rf-signal', `--sig-proxy=${proxied}`, 'busybox', 'sh', '-c', script];
      const child = spawn(program, flags, { env: { ...process.env, ...engine.env } });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      await eventually(() => output.includes('ready'));
      child.kill('SIGUSR2');
      if (proxied) assert.equal(await ended, 9, name);
      else {
        // Long enough for a signal to arrive.
        await engine.docker('exec', 'rf-signal', 'sleep', '0.5');
        child.kill('SIGKILL');
        await ended;
        assert.doesNotMatch(output, /got/, name);
      }
      assert.equal(await running('rf-signal'), String(!proxied), name);
      await engine.docker('rm', '-f', 'rf-signal');
    }
  }
});

covers('--pull --quiet', 'always, missing or never', async () => {
  for (const [name, run] of Object.entries(clients())) {
    const never = await run(['run', '--rm', '--pull', 'never', '127.0.0.1:1/none']);
    assert.equal(never.code, 125);
    assert.match(never.stderr, /No such image: 127\.0\.0\.1:1\/none/);
    const missing = await run(['run', '--rm', '127.0.0.1:1/none']);
    assert.match(missing.stderr, /Unable to find image '127\.0\.0\.1:1\/none:latest' locally/, name);
    assert.match(missing.stderr, /connection refused/i, name);
    const quiet = await run(['run', '--rm', '--quiet', '127.0.0.1:1/none']);
    assert.equal(quiet.code, 125);
    assert.doesNotMatch(quiet.stderr, /Unable to find image/, name);
    await engine.docker('tag', 'busybox', '127.0.0.1:1/there');
    const here = await run(['run', '--rm', '--pull', 'missing', '127.0.0.1:1/there', 'echo', 'here']);
    assert.equal(here.stdout, 'here\n');
    const always = await run(['run', '--rm', '--pull=always', '-q', '127.0.0.1:1/there', 'true']);
    assert.equal(always.code, 125, name);
    assert.match(always.stderr, /connection refused/i, name);
    await engine.docker('rmi', '127.0.0.1:1/there');
    const wrong = await run(['run', '--rm', '--pull', 'foo', 'busybox']);
    assert.match(wrong.stderr, /invalid pull option: 'foo': must be one of "always", "missing" or "never"/);
  }
});

covers('--rm', 'takes the container and its anonymous volumes away', async () => {
  const script = ['run', '--rm', '--name', 'rf-gone', '-v', '/data', 'busybox', 'sh', '-c'];
  const volume = "grep ' /data ' /proc/self/mountinfo | cut -d' ' -f4 | grep -o '[0-9a-f]\\{64\\}'";
  for (const run of Object.values(clients())) {
    const { code, stdout } = await run([...script, `${volume}; exit 7`]);
    assert.equal(code, 7);
    assert.match(await engine.fails(1, 'container', 'inspect', 'rf-gone'), /No such container: rf-gone/);
    assert.match(await engine.fails(1, 'volume', 'inspect', stdout.trim()), /no such volume/);
  }
});

covers('--restart', 'starts again, and its policies are checked', async () => {
  await engine.docker('run', '-d', '--name', 'rf-again', '--restart', 'on-failure:2', 'busybox', 'false');
  await eventually(
    async () => (await engine.inspect('rf-again', '{{.RestartCount}} {{.State.Status}}')) === '2 exited',
  );
  await engine.docker('rm', 'rf-again');
  const wrong = (policy: string): Promise<string> =>
    engine.fails(125, 'run', '--restart', policy, 'busybox', 'true');
  assert.match(await wrong('on-failure:x'), /maximum retry count must be an integer/);
  assert.match(await wrong('always:3'), /maximum retry count can only be used with 'on-failure'/);
  assert.match(await wrong('on-failure:-1'), /maximum retry count cannot be negative/);
  assert.match(await wrong('foo'), /unknown policy 'foo'/);
  assert.match(await refused('--restart', 'always'), /cannot specify both --restart and --rm/);
});

covers(
  '--health-cmd --health-interval --health-retries --health-timeout --health-start-period --health-start-interval',
  'the command says whether the container is healthy',
  async () => {
    const timing = ['--health-interval', '100ms', '--health-retries', '2', '--health-timeout', '5s'];
    const health = (name: string): Promise<string> => engine.inspect(name, '{{.State.Health.Status}}');
    const run = ['run', '-d', '--name'];
    const sleep = ['busybox', 'sleep', '1000'];
    await engine.docker(...run, 'rf-well', '--health-cmd', 'test -e /ill || true', ...timing, ...sleep);
    await engine.docker(...run, 'rf-ill', '--health-cmd', 'echo why; false', ...timing, ...sleep);
    const slow = ['--health-timeout', '100ms', '--health-interval', '100ms', '--health-retries', '1'];
    await engine.docker(...run, 'rf-slow', '--health-cmd', 'sleep 60', ...slow, ...sleep);
    const patient = ['--health-start-period', '60s', '--health-start-interval', '100ms', ...timing];
    await engine.docker(...run, 'rf-starting', '--health-cmd', 'test -e /ready', ...patient, ...sleep);
    await eventually(async () => (await health('rf-well')) === 'healthy');
    await eventually(async () => (await health('rf-ill')) === 'unhealthy');
    await eventually(async () => (await health('rf-slow')) === 'unhealthy');
    assert.match(await engine.inspect('rf-ill', '{{(index .State.Health.Log 0).Output}}'), /^why/);
    assert.match(
      await engine.inspect('rf-slow', '{{(index .State.Health.Log 0).Output}}'),
      /exceeded timeout/,
    );
    // Failures in the start period do not count.
    await eventually(
      async () => Number(await engine.inspect('rf-starting', '{{len .State.Health.Log}}')) > 3,
    );
    assert.equal(await health('rf-starting'), 'starting');
    await engine.docker('exec', 'rf-starting', 'touch', '/ready');
    await eventually(async () => (await health('rf-starting')) === 'healthy');
    await engine.docker('rm', '-f', 'rf-well', 'rf-ill', 'rf-slow', 'rf-starting');
    assert.match(
      await refused('--health-interval', '1us'),
      /Interval in Healthcheck cannot be less than 1ms/,
    );
    assert.match(await refused('--health-interval=-1s'), /--health-interval cannot be negative/);
    assert.match(await refused('--health-retries=-1'), /--health-retries cannot be negative/);
  },
);

covers('--no-healthcheck', 'turns off what the image checks', async () => {
  await engine.docker('create', '--name', 'rf-checked', '--health-cmd', 'true', 'busybox', 'sleep', '1000');
  await engine.docker('commit', 'rf-checked', 'rf-checked');
  await engine.docker('rm', 'rf-checked');
  const has = '{{if .State.Health}}checked{{else}}unchecked{{end}}';
  await engine.docker('run', '-d', '--name', 'rf-with', 'rf-checked');
  await engine.docker('run', '-d', '--name', 'rf-without', '--no-healthcheck', 'rf-checked');
  assert.equal(await engine.inspect('rf-with', has), 'checked');
  assert.equal(await engine.inspect('rf-without', has), 'unchecked');
  await engine.docker('rm', '-f', 'rf-with', 'rf-without');
  await engine.docker('rmi', 'rf-checked');
  assert.match(
    await refused('--no-healthcheck', '--health-cmd', 'true'),
    /--no-healthcheck conflicts with --health-\* options/,
  );
});

covers('--log-driver --log-opt', 'choose where output is kept', async () => {
  const run = ['run', '--name', 'rf-log'];
  await engine.docker(...run, '--log-driver', 'none', 'busybox', 'echo', 'text');
  assert.match(await engine.fails(1, 'logs', 'rf-log'), /configured logging driver does not support reading/);
  await engine.docker('rm', 'rf-log');
  const options = ['--log-opt', 'max-size=1k', '--log-opt', 'max-file=2'];
  const many = ['busybox', 'sh', '-c', 'seq 1 200'];
  await engine.docker(...run, '--log-driver', 'json-file', ...options, ...many);
  const kept = (await engine.docker('logs', 'rf-log')).split('\n');
  assert.ok(kept.length < 100 && kept.at(-1) === '200', kept.join(' '));
  assert.equal(
    await engine.inspect(
      'rf-log',
      '{{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}}',
    ),
    'json-file 1k',
  );
  await engine.docker('rm', 'rf-log');
  assert.match(
    await refused('--log-driver', 'none-such'),
    /error looking up logging plugin none-such: plugin "none-such" not found/,
  );
  assert.match(await refused('--log-opt', 'a=b'), /unknown log opt 'a' for json-file log driver/);
  assert.match(
    await refused('--log-driver', 'none', '--log-opt', 'a=b'),
    /invalid logging opts for driver none/,
  );
});

covers('--help', 'names every flag', async () => {
  const flags = async (run: (typeof engine)['try']): Promise<string[]> => {
    const { code, stdout } = await run(['run', '--help']);
    assert.equal(code, 0);
    return [...stdout.matchAll(/^ {2}(?:-\w,|   ) --([\w-]+)/gm)].map((match) => match[1] ?? '').sort();
  };
  const own = await flags(wharf(engine));
  const theirs = await flags(engine.try);
  assert.ok(theirs.length > 95, String(theirs.length));
  assert.deepEqual(
    theirs.filter((flag) => !own.includes(flag)),
    // Since 23.0 without effect, and hidden.
    theirs.filter((flag) => ['disable-content-trust', 'kernel-memory'].includes(flag) && !own.includes(flag)),
  );
});

covers(
  '--disable-content-trust',
  'is accepted; nothing is signed',
  async () => {
    for (const run of Object.values(clients())) {
      const { stdout } = await run(['run', '--rm', '--disable-content-trust', 'busybox', 'echo', 'text']);
      assert.equal(stdout, 'text\n');
    }
    const { code, stdout, stderr } = await wharf(engine)([
      'run',
      '--rm',
      '--disable-content-trust=false',
      'busybox',
      'echo',
      'text',
    ]);
    assert.deepEqual([code, stdout], [0, 'text\n'], stderr);
  },
  ours,
);
