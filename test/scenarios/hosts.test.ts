import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, connect, type Socket } from 'node:net';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  LayoutBlobs,
  busyboxArchive,
  client,
  dockerProgram,
  freePort,
  outputOf,
  smallImage,
  smallImageId,
  startDaemon,
  startSshServer,
  wharfProgram,
  type Client,
  type Daemon,
  type SmallImage,
  type SshServer,
} from '../setup/index.ts';

/** Sees the bytes for the engine; true: they go no further. */
type Meddle = (text: string, total: number, toClient: Socket) => boolean;

interface Relay extends AsyncDisposable {
  /** Bytes for the engine so far. */
  sent(): number;
  /** Drops every connection. */
  cut(): void;
}

/** A unix socket in front of an engine. */
async function relay(path: string, engine: string, meddle: Meddle): Promise<Relay> {
  const sockets = new Set<Socket>();
  let total = 0;
  const server = createServer((inner) => {
    const outer = connect(engine);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        inner.destroy();
        outer.destroy();
      });
    }
    outer.pipe(inner);
    inner.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (meddle(chunk.toString('latin1'), total, inner)) return;
      if (!outer.write(chunk)) {
        inner.pause();
        outer.once('drain', () => inner.resume());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    sent: () => total,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
      await rm(path, { force: true });
    },
  };
}

const image = (content: string | Buffer, architecture = 'amd64', more: readonly string[] = []): SmallImage =>
  smallImage(
    [
      [{ name: 'base', content: 'shared by all\n' }],
      [{ name: 'own', content }],
      ...more.map((text) => [{ name: text, content: text }]),
    ],
    {
      platform: { os: 'linux', architecture },
    },
  );

describe('images from host to host', () => {
  let here: Daemon;
  let there: Daemon;
  let ssh: SshServer;
  let port: number;
  /** Our command line with the engine of this side, able to log in on the other. */
  let wharf: Client;
  const run = async (...args: string[]): Promise<string> => outputOf(await wharf(args), args);
  const idOf = async (daemon: Daemon, name: string): Promise<string> =>
    outputOf(await daemon.docker(['image', 'inspect', '-f', '{{.Id}}', name]), []);
  const offerOf = async (
    daemon: Daemon,
    name: string,
  ): Promise<{ target: { digest: string }; others: unknown[] }> => {
    const { status, body } = await daemon.get(`/images/${name}/offer`);
    assert.equal(status, 200, body);
    return JSON.parse(body) as { target: { digest: string }; others: unknown[] };
  };
  const load = async (
    blobs: LayoutBlobs,
    target: ReturnType<LayoutBlobs['put']>,
    name: string,
  ): Promise<void> => {
    const input = blobs.archive([{ target, name }]);
    outputOf(await here.docker(['load'], { input }), ['load', name]);
  };

  before(async () => {
    port = await freePort();
    [here, there] = await Promise.all([
      startDaemon(),
      startDaemon({ flags: ['-H', `tcp://127.0.0.1:${port}`] }),
    ]);
    ssh = await startSshServer({
      programs: { wharf: `WHARF_HOST=${there.host} exec ${wharfProgram()} "$@"` },
    });
    wharf = client(wharfProgram(), { ...here.env, ...ssh.env });
  });
  after(async () => {
    await ssh[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
    await there[Symbol.asyncDispose]();
  });

  test('wharf push sends an image over ssh under its name, and it runs there', async () => {
    outputOf(await here.docker(['load', '-i', await busyboxArchive()]), []);
    const out = await run('push', 'busybox', ssh.host);
    assert.match(
      out,
      /^The push refers to image \[busybox:latest\]\n[0-9a-f]{12}: Preparing\n[^]*: Pushed\nlatest: digest: sha256:/,
    );
    assert.equal(await idOf(there, 'busybox'), await idOf(here, 'busybox'));
    const said = outputOf(
      await there.docker(['run', '--rm', '--network', 'none', 'busybox', 'echo', 'here']),
      [],
    );
    assert.equal(said, 'here');
    assert.match(await run('push', 'busybox', ssh.host), /: Layer already exists\nlatest: digest/);
    assert.equal(await run('push', '-q', 'busybox', ssh.host), 'busybox');
  });

  test('an index goes whole, attestations too, and only with the layers that are missing', async () => {
    const blobs = new LayoutBlobs();
    const images = [image('for amd64'), image('for arm64', 'arm64')];
    const target = blobs.index(images, { attest: true });
    await load(blobs, target, 'docker.io/team/both:1');
    const first = await run('push', 'team/both:1', ssh.host);
    assert.equal(first.match(/: Pushed/g)?.length, 2, first);
    const offer = await offerOf(there, 'team/both:1');
    assert.equal(offer.target.digest, target.digest);
    assert.deepEqual(offer, await offerOf(here, 'team/both:1'));
    for (const digest of blobs.blobs.keys()) {
      assert.equal((await there.get(`/blobs/${digest}`)).status, 200, digest);
    }
    const next = image('another', 'amd64', ['more']);
    const alone = new LayoutBlobs();
    await load(alone, alone.manifest(next), 'docker.io/team/next:1');
    const second = await run('push', 'team/next:1', ssh.host);
    assert.equal(second.match(/: Layer already exists/g)?.length, 1, second);
    assert.equal(second.match(/: Pushed/g)?.length, 2, second);
    assert.equal(await idOf(there, 'team/next:1'), smallImageId(next));
  });

  test('wharf pull takes several images from another engine, also over TCP', async () => {
    for (const name of ['one', 'two']) outputOf(await there.docker(['tag', 'busybox', `${name}:x`]), []);
    await run('rmi', 'busybox', 'team/both:1');
    const out = await run('pull', 'one:x', 'two:x', 'team/both:1', `tcp://127.0.0.1:${port}`);
    assert.match(
      out,
      /^Pulling one:x\n[^]*: Pull complete\n[^]*Pulling two:x\n[0-9a-f]{12}: Already exists\n/,
    );
    for (const name of ['one:x', 'two:x', 'team/both:1']) {
      assert.equal(await idOf(here, name), await idOf(there, name), name);
    }
    assert.deepEqual(await offerOf(here, 'team/both:1'), await offerOf(there, 'team/both:1'));
    const missing = await wharf(['pull', 'no/such', ssh.host]);
    assert.deepEqual(
      [missing.code, missing.stderr],
      [1, 'Error response from daemon: No such image: no/such:latest\n'],
    );
  });

  test('a push whose connection breaks goes on where it was', async () => {
    const blobs = new LayoutBlobs();
    const size = 24 << 20;
    await load(blobs, blobs.manifest(image(randomBytes(size), 'amd64', ['last'])), 'docker.io/library/big:1');
    const path = join(here.folder, 'relay.sock');
    let wasCut = false;
    await using middle = await relay(path, there.socket, (_, total) => {
      if (wasCut || total < size / 2) return false;
      wasCut = true;
      // Every connection, as when the wire is pulled.
      middle.cut();
      return true;
    });
    const pushed = await wharf(['push', 'big:1', `unix://${path}`]);
    assert.equal(pushed.code, 0, pushed.stderr);
    assert.match(pushed.stderr, /broke off; trying again\n$/);
    assert.equal(await idOf(there, 'big:1'), await idOf(here, 'big:1'));
    assert.ok(middle.sent() < size * 1.3, `${middle.sent()} bytes for ${size}`);
  });

  test('an engine that is not Wharf gets images whole, and is told so', async () => {
    const path = join(here.folder, 'relay.sock');
    await using _foreign = await relay(path, there.socket, (text, _, toClient) => {
      if (!text.includes('/images/receive')) return false;
      const body = '{"message":"page not found"}\n';
      const head = 'HTTP/1.1 404 Not Found\r\nContent-Type: application/json';
      toClient.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      return true;
    });
    outputOf(await here.docker(['tag', 'one:x', 'whole:1']), []);
    const pushed = await wharf(['push', 'whole:1', `unix://${path}`]);
    assert.deepEqual([pushed.code, pushed.stdout], [0, 'Loaded image: whole:1\n'], pushed.stderr);
    assert.match(pushed.stderr, /is not Wharf: whole:1 is sent whole, as save and load do\n$/);
    assert.equal(await idOf(there, 'whole:1'), await idOf(here, 'whole:1'));
  });

  test('ssh:// is an address for every command, of wharf and of docker', async () => {
    const env = { ...here.env, ...ssh.env, DOCKER_HOST: ssh.host, WHARF_HOST: '' };
    const ours = client(wharfProgram(), env);
    outputOf(await ours(['run', '--name', 'far', 'busybox', 'cat'], { input: 'not attached' }), []);
    assert.equal(
      outputOf(await ours(['run', '-i', '--rm', 'busybox', 'cat'], { input: 'through ssh' }), []),
      'through ssh',
    );
    assert.equal(outputOf(await ours(['ps', '-aq', '--filter', 'name=far']), []).length, 12);
    const at = client(wharfProgram(), { ...env, DOCKER_HOST: `${ssh.host}${there.socket}` });
    outputOf(await at(['rm', 'far']), []);
    const refused = await client(wharfProgram(), { ...env, DOCKER_HOST: 'ssh://127.0.0.1:1' })(['ps']);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /cannot reach the engine at ssh:\/\/127\.0\.0\.1:1: ssh: connect to host 127\.0\.0\.1 port 1/,
    );
    const odd = await wharf(['push', 'busybox', 'ssh://-oProxyCommand=x']);
    assert.match(odd.stderr, /invalid host ssh:\/\/-oProxyCommand=x/);
  });

  test("docker's command line reaches Wharf over ssh", async () => {
    await using server = await startSshServer({
      programs: { docker: `WHARF_HOST=${there.host} exec ${wharfProgram()} "$@"` },
    });
    const docker = client(dockerProgram(), { ...here.env, ...server.env, DOCKER_HOST: server.host });
    assert.equal(
      outputOf(await docker(['image', 'inspect', '-f', '{{.Id}}', 'busybox']), []),
      await idOf(there, 'busybox'),
    );
  });
});
