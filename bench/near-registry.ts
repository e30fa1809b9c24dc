import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, succeed } from '../test/setup/index.ts';
import type { Peer } from './peers.ts';

/** Debian's docker-registry on the loopback of a peer's engine, with a folder of its own. */
export interface NearRegistry extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Where its driver keeps blobs. */
  readonly storage: string;
}

export async function startNear(peer: Peer): Promise<NearRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-bench-registry-'));
  const storage = join(folder, 'storage');
  await mkdir(storage);
  const address = `127.0.0.1:${await freePort()}`;
  const settings = {
    version: '0.1',
    log: { accesslog: { disabled: true }, level: 'error' },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: address },
  };
  await writeFile(join(folder, 'config.yml'), JSON.stringify(settings)); // JSON is YAML
  const [program, args] = peer.near('docker-registry', ['serve', join(folder, 'config.yml')]);
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => void server.once('exit', () => resolve()));
  const [probe, probeArgs] = peer.near('curl', ['-sf', `http://${address}/v2/`]);
  await eventually(async () => {
    await succeed(probe, probeArgs);
    return true;
  });
  return {
    address,
    storage,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
