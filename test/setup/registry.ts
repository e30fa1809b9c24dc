import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { eventually, succeed } from './commands.ts';
import { digestOf, gzipped, type TestImage } from './images.ts';

export interface Registry extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Folder of the stored blobs, to spoil them. */
  readonly storage: string;
  /** With `tls`: the certificate to trust. */
  readonly certificate: string | undefined;
  /** Requests so far, `METHOD path status`, from its access log. */
  requests(): Promise<readonly string[]>;
  /** Stores an image as NAME:TAG without an engine's help; answers the manifest's digest. */
  publish(reference: string, image: TestImage): Promise<string>;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Asks for this login (HTTP basic). */
  readonly login?: { readonly user: string; readonly password: string };
  /** Serves HTTPS with a certificate of its own for 127.0.0.1 and localhost. */
  readonly tls?: boolean;
}

/** A TCP port of loopback that is free now. */
export function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().on('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
  });
  return promise;
}

/** Starts Debian's docker-registry on a free port of loopback, with storage of its own that stop() removes. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const storage = join(folder, 'storage');
  const log = join(folder, 'log');
  const http: Record<string, unknown> = { addr: address };
  const certificate = options.tls ? join(folder, 'cert.pem') : undefined;
  if (certificate) {
    const key = join(folder, 'key.pem');
    const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', names, '-days', '2', '-nodes'];
    await succeed('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-keyout',
      key,
      '-out',
      certificate,
      ...subject,
    ]);
    http['tls'] = { certificate, key };
  }
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http,
  };
  if (options.login) {
    const { user, password } = options.login;
    await writeFile(join(folder, 'htpasswd'), await succeed('htpasswd', ['-Bbn', user, password]));
    config['auth'] = { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } };
  }
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config)); // JSON is YAML
  const program = spawn('sh', [
    '-c',
    'exec setpriv --pdeathsig KILL docker-registry serve "$1" >"$2" 2>&1',
    'sh',
    join(folder, 'config.yml'),
    log,
  ]);
  const ended = new Promise<void>((resolve) => void program.once('exit', () => resolve()));

  const base = `${options.tls ? 'https' : 'http'}://${address}`;
  const headers: Record<string, string> = {};
  if (options.login) {
    const login = Buffer.from(`${options.login.user}:${options.login.password}`).toString('base64');
    headers['authorization'] = `Basic ${login}`;
  }
  await eventually(
    async () => {
      if (program.exitCode !== null) throw new Error(await readFile(log, 'utf8'));
      // fetch() refuses the certificate; that it was offered one is proof enough.
      return options.tls ? await accepts(address) : (await fetch(`${base}/v2/`, { headers })).status === 200;
    },
    { what: 'the registry answers' },
  );

  const stop = async (): Promise<void> => {
    program.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return {
    address,
    storage,
    certificate,
    stop,
    requests: async () => accessLog(await readFile(log, 'utf8')),
    publish: (reference, image) => publish(base, headers, reference, image),
    [Symbol.asyncDispose]: stop,
  };
}

async function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  await succeed('openssl', ['s_client', '-connect', `${host ?? ''}:${port ?? ''}`]);
  return true;
}

const accessLog = (text: string): readonly string[] =>
  [...text.matchAll(/"([A-Z]+) (\/v2\/\S*) HTTP\/1\.1" (\d+)/g)].map(
    ([, method = '', path = '', status = '']) => `${method} ${path} ${status}`,
  );

/** What fetch() takes. */
type Body = NonNullable<RequestInit['body']>;

async function publish(
  base: string,
  headers: Record<string, string>,
  reference: string,
  image: TestImage,
): Promise<string> {
  const [name = '', tag = 'latest'] = reference.split(':');
  const upload = async (digest: string, size: number, body: () => Body): Promise<void> => {
    const known = await fetch(`${base}/v2/${name}/blobs/${digest}`, { method: 'HEAD', headers });
    if (known.ok) return;
    const begun = await fetch(`${base}/v2/${name}/blobs/uploads/`, { method: 'POST', headers });
    const target = new URL(begun.headers.get('location') ?? '', base);
    target.searchParams.set('digest', digest);
    const sent = { ...headers, 'content-type': 'application/octet-stream', 'content-length': String(size) };
    const done = await fetch(target, { method: 'PUT', headers: sent, body: body(), duplex: 'half' });
    if (done.status !== 201) throw new Error(`upload of ${digest}: ${done.status} ${await done.text()}`);
  };
  const layers = [];
  for (const layer of image.layers) {
    const { path, digest, size } = await gzipped(layer.path);
    await upload(digest, size, () => Readable.toWeb(createReadStream(path)) as Body);
    layers.push({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest, size });
  }
  const config = digestOf(image.config);
  await upload(config, image.config.length, () => new Uint8Array(image.config));
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: config,
      size: image.config.length,
    },
    layers,
  });
  const stored = await fetch(`${base}/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': mediaType },
    body: manifest,
  });
  if (stored.status !== 201) throw new Error(`manifest: ${stored.status} ${await stored.text()}`);
  return digestOf(Buffer.from(manifest));
}
