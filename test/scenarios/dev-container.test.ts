/** What an editor's dev containers do with the docker command line, and how dashboards and proxies watch an engine. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dockerProgram, eventually } from '../setup/index.ts';
import { Engine } from './docker-cli/engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** A docker command that runs on while its output is watched. */
class Running implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcessWithoutNullStreams;

  constructor(args: readonly string[]) {
    this.#process = spawn(dockerProgram(), args, { env: { ...process.env, ...engine.env } });
    this.#process.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#process.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => void this.#process.once('close', resolve));
  }

  write(text: string): void {
    this.#process.stdin.write(text);
  }

  end(): void {
    this.#process.stdin.end();
  }

  /** Waits until the output matches, and answers the match. */
  output(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(() => pattern.exec(this.stdout), { what: `${String(pattern)} in ${this.stdout}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}

/** A shell in the container that reads commands for as long as the editor is open. */
class ShellServer extends Running {
  #count = 0;

  /** Runs a script; answers its output and exit code, told apart by marks that no output has. */
  async run(script: string): Promise<{ code: number; stdout: string }> {
    const mark = `mark-${(this.#count += 1)}-${Math.random().toString(36).slice(2)}`;
    this.write(`echo -n ${mark}; ( ${script} ); echo -n ${mark}$?${mark}; echo -n ${mark} >&2\n`);
    const found = await this.output(new RegExp(`${mark}([^]*?)${mark}(\\d+)${mark}`));
    return { code: Number(found[2]), stdout: found[1] ?? '' };
  }
}

const labels = (folder: string): string[] => [
  '-l',
  `devcontainer.local_folder=${folder}`,
  '-l',
  `devcontainer.config_file=${folder}/.devcontainer/devcontainer.json`,
];

const find = (folder: string): Promise<string> =>
  engine.docker(
    'ps',
    '-q',
    '-a',
    '--filter',
    `label=devcontainer.local_folder=${folder}`,
    '--filter',
    `label=devcontainer.config_file=${folder}/.devcontainer/devcontainer.json`,
  );

test('an editor opens a folder in a container, works in it, closes and comes back', async () => {
  const folder = join(engine.folder, 'project');
  await mkdir(folder);
  await writeFile(join(folder, 'main.c'), 'int main;\n');
  assert.match(await engine.docker('version', '--format', '{{.Server.APIVersion}}'), /^1\.\d+$/);
  assert.equal(await find(folder), '');
  const [image] = JSON.parse(await engine.docker('inspect', '--type', 'image', 'busybox')) as [
    { Id: string; Architecture: string; Config: { Env: string[] | null } },
  ];
  assert.match(image.Id, /^sha256:/);
  assert.match(
    await engine.fails(1, 'inspect', '--type', 'container', 'busybox'),
    /No such container: busybox/,
  );

  // It waits for the event of the start, and for the mark that the container's first program prints.
  await using events = new Running(['events', '--format', '{{json .}}', '--filter', 'event=start']);
  await using started = new Running([
    ...['run', '--sig-proxy=false', '-a', 'STDOUT', '-a', 'STDERR'],
    ...['--mount', `type=bind,source=${folder},target=/workspaces/project,consistency=cached`],
    ...['--mount', 'type=volume,source=vscode,target=/vscode'],
    ...labels(folder),
    ...[
      '-l',
      'devcontainer.metadata=[{"remoteUser":"nobody"}]',
      '--cap-add=SYS_PTRACE',
      '--security-opt',
      'seccomp=unconfined',
    ],
    ...['--entrypoint', '/bin/sh', 'busybox', '-c'],
    'echo Container started\ntrap "exit 0" 15\nexec "$@"\nwhile sleep 1 & wait $!; do :; done',
    '-',
  ]);
  await started.output(/^Container started$/m);
  const event = await events.output(/^(.*devcontainer.*)\n/m);
  const { id } = JSON.parse(event[1] ?? '') as { id: string };
  assert.ok(id.startsWith(await find(folder)));

  const [details] = JSON.parse(await engine.docker('inspect', '--type', 'container', id)) as [
    {
      State: { Status: string };
      Mounts: { Type: string; Source: string; Destination: string }[];
      Config: { Labels: Record<string, string> };
    },
  ];
  assert.equal(details.State.Status, 'running');
  assert.deepEqual(
    details.Mounts.find(({ Type }) => Type === 'bind'),
    {
      Type: 'bind',
      Source: folder,
      Destination: '/workspaces/project',
      Mode: '',
      RW: true,
      Propagation: 'rprivate',
    },
  );
  assert.deepEqual(JSON.parse(details.Config.Labels['devcontainer.metadata'] ?? ''), [
    { remoteUser: 'nobody' },
  ]);

  await using root = new ShellServer(['exec', '-i', '-u', 'root', '-e', 'VSCODE_REMOTE=1', id, '/bin/sh']);
  await using user = new ShellServer([
    'exec',
    '-i',
    '-u',
    'nobody',
    '-w',
    '/workspaces/project',
    id,
    '/bin/sh',
  ]);
  assert.deepEqual(await root.run('id -un; echo $VSCODE_REMOTE'), { code: 0, stdout: 'root\n1\n' });
  assert.deepEqual(await user.run('id -un; pwd; cat main.c; exit 3'), {
    code: 3,
    stdout: 'nobody\n/workspaces/project\nint main;\n',
  });
  for (let round = 0; round < 30; round += 1) {
    assert.deepEqual(await root.run(`echo round ${round}`), { code: 0, stdout: `round ${round}\n` });
  }
  // The server is unpacked from stdin, a megabyte of it here.
  const payload = Buffer.alloc(1_000_000, 'editor ').toString('base64');
  const install = await engine.try(
    [
      'exec',
      '-i',
      '-u',
      'root',
      id,
      'sh',
      '-c',
      'mkdir -p /vscode/bin && base64 -d >/vscode/bin/server && md5sum </vscode/bin/server',
    ],
    { input: payload },
  );
  assert.equal(
    install.stdout.split(' ')[0],
    createHash('md5').update(Buffer.from(payload, 'base64')).digest('hex'),
  );
  await root.run('echo made inside >/workspaces/project/made');
  assert.equal(await readFile(join(folder, 'made'), 'utf8'), 'made inside\n');

  // It talks to its server through an exec's stdin and stdout for hours: binary both ways.
  await using tunnel = new Running(['exec', '-i', id, 'cat']);
  tunnel.write('\0\x01\x02 bytes');
  await tunnel.output(/\0\x01\x02 bytes/);
  tunnel.end();
  assert.equal(await tunnel.ended, 0);

  // Closing the window ends the shells; the container goes on, and is found again.
  root.end();
  user.end();
  assert.deepEqual([await root.ended, await user.ended], [0, 0]);
  assert.equal(await engine.inspect(id, '{{.State.Running}}'), 'true');
  await engine.docker('stop', id);
  assert.equal(await started.ended, 0);
  assert.ok(id.startsWith(await find(folder)));
  await engine.docker('start', id);
  assert.match(await engine.docker('logs', id), /Container started\n[^]*Container started/);
  assert.equal(
    await engine.docker('exec', '-u', 'nobody', id, 'cat', '/workspaces/project/made'),
    'made inside',
  );
  await engine.docker('rm', '-f', id);
  await engine.docker('volume', 'rm', 'vscode');
});

interface Message {
  readonly Type: string;
  readonly Action: string;
  readonly timeNano: number;
  readonly time: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** GET /events: messages as they come, until `done` says so or the engine ends the stream. */
function watch(
  query: Record<string, unknown>,
  done: (messages: readonly Message[]) => boolean,
): Promise<Message[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Message[]>();
  const text = Object.entries(query).map(
    ([key, value]) =>
      `${key}=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  const socketPath = new URL(engine.env['DOCKER_HOST'] ?? '').pathname;
  const sent = request({ socketPath, path: `/v1.45/events?${text.join('&')}`, agent: false }, (response) => {
    const messages: Message[] = [];
    let rest = '';
    response.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      messages.push(...lines.map((line) => JSON.parse(line) as Message));
      if (done(messages)) {
        resolve(messages);
        response.destroy();
      }
    });
    response.on('end', () => resolve(messages));
    response.on('error', reject);
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

const seconds = (nano: number): string => `${Math.floor(nano / 1e9)}.${String(nano % 1e9).padStart(9, '0')}`;

test('a proxy sees each start and end once, over reconnects with since', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `seen${index}`);
  const filters = { type: ['container'], event: ['start', 'die'], label: ['traefik.enable=true'] };
  const began = BigInt(Date.now()) * 1_000_000n;
  let since = `${began / 1_000_000_000n}.${String(began % 1_000_000_000n).padStart(9, '0')}`;
  const running = (async () => {
    for (const name of names)
      await engine.docker(
        'run',
        '--rm',
        '--name',
        name,
        '-l',
        'traefik.enable=true',
        '--network',
        'none',
        'busybox',
        'true',
      );
  })();
  const seen = new Map<string, number>();
  while (seen.size < names.length * 2) {
    // It loses its connection after every few messages.
    const messages = await watch(
      { filters, since },
      (some) => some.length >= 5 || seen.size + some.length >= names.length * 2,
    );
    for (const message of messages) {
      const key = `${message.Actor.Attributes['name'] ?? ''} ${message.Action}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    // From just behind the last one on: nanoseconds do not fit a number exactly, the text has them.
    const last = messages.at(-1);
    if (last) since = seconds(last.timeNano + 1000);
  }
  await running;
  const keys = names.flatMap((name) => [`${name} start`, `${name} die`]);
  assert.deepEqual(seen, new Map(keys.map((key) => [key, 1])));
  const until = seconds(Date.now() * 1e6);
  const replayed = await watch({ filters, since: seconds(Number(began)), until }, () => false);
  assert.equal(replayed.length, names.length * 2);
});

test('a dashboard polls lists with filters and sizes while containers come and go', async () => {
  const common = ['--network', 'none', '-l', 'group=dash'];
  const one = await engine.docker(
    'run',
    '-d',
    '--name',
    'dash-one',
    ...common,
    '-l',
    'com.docker.compose.project=p',
    'busybox',
    'sleep',
    '1000',
  );
  const two = await engine.docker('create', '--name', 'dash-two', ...common, 'busybox', 'true');
  const list = async (filters: object, more = ''): Promise<string[]> => {
    const answer = await engine.daemon?.get(
      `/v1.45/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}${more}`,
    );
    assert.equal(answer?.status, 200, answer?.body ?? '');
    return (JSON.parse(answer.body) as { Id: string }[]).map(({ Id }) => Id);
  };
  const label = ['group=dash'];
  assert.deepEqual(await list({ label }), [one]);
  assert.deepEqual(await list({ label }, '&all=1'), [two, one]);
  assert.deepEqual(await list({ label, status: ['created'] }), [two]);
  assert.deepEqual(await list({ label: ['com.docker.compose.project'] }, '&all=1&size=1'), [one]);
  assert.deepEqual(await list({ name: { 'dash-': true } }, '&all=true&limit=1'), [two]);
  assert.deepEqual(await list({ label, network: ['none'] }, '&all=1'), [two, one]);
  assert.deepEqual(await list({ ancestor: ['busybox'], label }, '&all=1'), [two, one]);
  const churn = (async () => {
    for (let round = 0; round < 10; round += 1)
      await engine.docker('run', '--rm', ...common, 'busybox', 'true');
  })();
  let over = false;
  // Also when it fails: it is awaited below.
  const end = (): boolean => (over = true);
  void churn.then(end, end);
  while (!over) {
    for (const path of [
      '/containers/json?all=1',
      '/containers/json?all=1&size=1',
      '/volumes',
      '/networks',
      '/info',
      '/system/df',
      '/images/json',
    ]) {
      const answer = await engine.daemon?.get(path);
      assert.equal(answer?.status, 200, `${path}: ${answer?.body ?? ''}`);
    }
    assert.ok((await list({ label }, '&all=1')).includes(one));
  }
  await churn;
  await engine.docker('rm', '-f', 'dash-one', 'dash-two');
});
