import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Engine } from '../docker-cli/engine.ts';
import { leavingNothing, raw } from './support.ts';

const json = 'application/json';

/** What the reference engine answered to the same. */
const requests: readonly {
  readonly title: string;
  readonly line: string;
  readonly body?: string;
  readonly type?: string;
  readonly status: number;
  readonly message: string | RegExp;
}[] = [
  {
    title: 'JSON that is cut off',
    line: 'POST /containers/create',
    body: '{"Image":',
    type: json,
    status: 400,
    message: 'invalid JSON: unexpected EOF',
  },
  {
    title: 'something after the JSON',
    line: 'POST /containers/create',
    body: '{"Image":"busybox"} x',
    type: json,
    status: 400,
    message: 'unexpected content after JSON',
  },
  {
    title: 'no body',
    line: 'POST /containers/create',
    type: json,
    status: 400,
    message: 'invalid JSON: got EOF while reading request body',
  },
  {
    title: 'a number for a text',
    line: 'POST /containers/create',
    body: '{"Image":5}',
    type: json,
    status: 400,
    message: 'invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string',
  },
  {
    title: 'a text for a number',
    line: 'POST /containers/create',
    body: '{"Image":"busybox","HostConfig":{"Memory":"lots"}}',
    type: json,
    status: 400,
    message:
      'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
  },
  {
    title: 'a list for a map',
    line: 'POST /containers/create',
    body: '{"Image":"busybox","Labels":["a"]}',
    type: json,
    status: 400,
    message:
      'invalid JSON: json: cannot unmarshal array into Go struct field .Labels of type map[string]string',
  },
  {
    title: 'a type that is not JSON',
    line: 'POST /containers/create',
    body: '{"Image":"busybox"}',
    type: 'text/plain',
    status: 400,
    message: "unsupported Content-Type header (text/plain): must be 'application/json'",
  },
  {
    title: 'an API version that is too new',
    line: 'GET /v1.99/containers/json',
    status: 400,
    message: /^client version 1\.99 is too new\. Maximum supported API version is 1\.\d+$/,
  },
  {
    title: 'an API version that is too old',
    line: 'GET /v1.12/containers/json',
    status: 400,
    message:
      'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  },
  { title: 'an unknown route', line: 'GET /nosuch', status: 404, message: 'page not found' },
  { title: 'a wrong method', line: 'PUT /version', status: 404, message: 'page not found' },
  { title: 'no API version', line: 'GET /vx/version', status: 404, message: 'page not found' },
  {
    title: 'an unknown filter',
    line: 'GET /containers/json?filters=%7B%22bogus%22%3A%5B%22x%22%5D%7D',
    status: 400,
    message: "invalid filter 'bogus'",
  },
  {
    title: 'an unknown image',
    line: 'POST /containers/create',
    body: '{"Image":"nosuch"}',
    type: json,
    status: 404,
    message: 'No such image: nosuch:latest',
  },
  {
    title: 'a bad reference',
    line: 'POST /images/create?fromImage=UPPER&tag=x',
    status: 400,
    message: 'invalid reference format: repository name (library/UPPER) must be lowercase',
  },
  {
    title: 'a body that is no archive',
    line: 'POST /images/load',
    body: 'x'.repeat(2000),
    type: 'application/x-tar',
    // Told in the stream, as the reference does.
    status: 200,
    message: /"errorDetail":.*invalid tar header/,
  },
];

describe('bad requests and commands', () => {
  let engine: Engine;
  before(async () => {
    engine = await Engine.start();
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
  });

  for (const { title, line, status, message, ...options } of requests) {
    test(`a request with ${title} is answered ${status}`, async () => {
      await leavingNothing(engine, async () => {
        const answer = await raw(engine, line, options);
        assert.equal(answer.status, status, answer.message);
        if (typeof message === 'string') assert.equal(answer.message, message);
        else assert.match(answer.message, message);
      });
    });
  }

  test('docker run of an unknown image says so', async () => {
    await leavingNothing(engine, async () => {
      const said = await engine.fails(125, 'run', '--rm', '127.0.0.1:1/nosuch', 'true');
      assert.match(said, /Unable to find image '127\.0\.0\.1:1\/nosuch:latest' locally/);
      assert.match(said, /dial tcp 127\.0\.0\.1:1: connect: connection refused/);
    });
  });

  test('a name that is taken is refused with its holder', async () => {
    const id = await engine.docker('create', '--name', 'taken', 'busybox');
    await leavingNothing(engine, async () => {
      const said = await engine.fails(1, 'create', '--name', 'taken', 'busybox');
      assert.match(said, new RegExp(`The container name "/taken" is already in use by container "${id}"`));
    });
    await engine.docker('rm', 'taken');
  });

  test('a port in use is refused with the process that holds it', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    try {
      await leavingNothing(engine, async () => {
        const said = await engine.fails(125, 'run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true');
        assert.match(said, /failed to set up container networking: .*address already in use/);
        // Not the text of the reference engine, which does not know.
        const holder = `port ${port} is held by ${basename(process.execPath)} (pid ${process.pid})`;
        if (engine.daemon) assert.ok(said.includes(holder) || /held by \S+ \(pid \d+\)/.test(said), said);
      });
    } finally {
      server.close();
    }
  });

  test('a port of another container is refused with that container', async () => {
    await engine.docker('run', '-d', '--name', 'holder', '-p', '127.0.0.1::80', 'busybox', 'sleep', '100');
    const [port = ''] = /\d+$/.exec(await engine.docker('port', 'holder', '80')) ?? [];
    const said = await engine.fails(125, 'run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true');
    assert.match(said, new RegExp(`Bind for 127\\.0\\.0\\.1:${port} failed: port is already allocated`));
    if (engine.daemon) assert.match(said, /holder|by container/);
    assert.equal(await engine.docker('ps', '-aq', '-f', 'status=created'), '');
    await engine.docker('rm', '-f', 'holder');
  });

  test('a bind source that is missing is refused', async () => {
    await leavingNothing(engine, async () => {
      const mount = 'type=bind,src=/nope1,dst=/x';
      const said = await engine.fails(125, 'run', '--rm', '--mount', mount, 'busybox', 'true');
      assert.match(said, /invalid mount config for type "bind": bind source path does not exist: \/nope1/);
    });
  });

  test('a bind source that cannot be made does not hang the engine', async () => {
    await leavingNothing(engine, async () => {
      const said = await engine.fails(127, 'run', '--rm', '-v', '/proc/nope/x:/x', 'busybox', 'true');
      assert.match(said, /error while creating mount source path '\/proc\/nope\/x'/);
      assert.match(said, /no such file or directory/);
    });
  });

  for (const [command, code, text] of [
    ['nosuchcmd', 127, 'exec: "nosuchcmd": executable file not found in $PATH'],
    ['/bin/nosuch', 127, 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'],
    ['/etc/passwd', 126, 'exec: "/etc/passwd": permission denied'],
    ['/etc', 126, 'exec: "/etc": permission denied'],
  ] as const) {
    test(`the command ${command} ends docker run with ${code}`, async () => {
      await leavingNothing(engine, async () => {
        const said = await engine.fails(code, 'run', '--rm', 'busybox', command);
        assert.ok(said.includes(`unable to start container process: ${text}`), said);
      });
    });
  }

  test('a command that cannot be run leaves the container created, with the code', async () => {
    await engine.docker('create', '--name', 'broken', 'busybox', 'nosuchcmd');
    const answer = await raw(engine, 'POST /containers/broken/start');
    assert.equal(answer.status, 400, answer.message);
    const state = '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.State.Pid}}';
    assert.equal(await engine.inspect('broken', state), 'created 127 false 0');
    await engine.docker('rm', 'broken');
  });

  for (const [title, args, text] of [
    ['an unknown network', ['--network', 'nonet', 'busybox', 'true'], 'network nonet not found'],
    ['an unknown user', ['--user', 'nosuch', 'busybox', 'true'], 'unable to find user nosuch'],
    ['no command', ['--entrypoint', '', 'busybox'], 'no command specified'],
    ['a file as its folder', ['-w', '/etc/passwd', 'busybox', 'true'], '/etc/passwd is not a directory'],
    ['a bad name', ['--name', 'bad name', 'busybox', 'true'], 'Invalid container name (bad name)'],
  ] as const) {
    test(`docker run with ${title} ends with 125`, async () => {
      await leavingNothing(engine, async () => {
        const said = await engine.fails(125, 'run', '--rm', ...args);
        assert.ok(said.includes(text), said);
      });
    });
  }
});
