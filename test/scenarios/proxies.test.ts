/** The proxies of the client's config.json reach containers, from our command line as from Docker's. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';

let daemon: Daemon;
let folder: string;
before(async () => {
  daemon = await startDaemon();
  folder = join(daemon.folder, 'proxies');
  await mkdir(folder);
  await writeFile(join(folder, 'file.env'), 'HTTPS_PROXY=http://of-the-file:1\nOTHER=of-the-file\n');
  assert.equal((await daemon.docker(['load', '-q', '-i', await busyboxArchive()])).code, 0);
});
after(() => daemon[Symbol.asyncDispose]());

const all = {
  httpProxy: 'http://user:pass@proxy.example:3128',
  httpsProxy: 'http://secure.example:3129',
  noProxy: '*.test.example.com,.example2.com,127.0.0.0/8',
  ftpProxy: 'http://ftp.example:21',
  allProxy: 'socks5://all.example:1080',
};

const lines = (proxies: Readonly<Record<string, string>>): string[] => {
  const names = { httpProxy: 'HTTP', httpsProxy: 'HTTPS', noProxy: 'NO', ftpProxy: 'FTP', allProxy: 'ALL' };
  return Object.entries(names).flatMap(([key, name]) => {
    const value = proxies[key];
    return value === undefined ? [] : [`${name}_PROXY=${value}`, `${name.toLowerCase()}_proxy=${value}`];
  });
};

/** What a container's environment says of proxies, sorted. */
async function seen(client: Daemon['docker'], ...options: string[]): Promise<string[]> {
  const args = ['run', '--rm', '--network', 'none', ...options, 'busybox', 'env'];
  const { code, stdout, stderr } = await client(args, {
    env: { DOCKER_CONFIG: folder, HTTP_PROXY: '', OWN: 'own' },
  });
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .filter((line) => /_proxy=/i.test(line))
    .sort();
}

for (const [name, client] of [
  ['wharf', () => daemon.wharf],
  ['docker', () => daemon.docker],
] as const) {
  test(`${name}: proxies of every kind, for this engine or for all, unless an option says otherwise`, async () => {
    const config = async (proxies: object): Promise<void> =>
      writeFile(join(folder, 'config.json'), JSON.stringify({ proxies }));
    await config({ default: all });
    assert.deepEqual(await seen(client()), lines(all).sort());
    const here = { httpProxy: 'http://here.example:1' };
    await config({ default: all, 'tcp://elsewhere.example:2376': { noProxy: 'x' }, [daemon.host]: here });
    assert.deepEqual(await seen(client()), lines(here).sort());
    await config({ default: { httpProxy: 'http://p:1', noProxy: '' } });
    const given = await seen(
      client(),
      '-e',
      'HTTP_PROXY=mine',
      '-e',
      'http_proxy',
      '--env-file',
      join(folder, 'file.env'),
    );
    assert.deepEqual(given, ['HTTPS_PROXY=http://of-the-file:1', 'HTTP_PROXY=mine']);
    await config({ default: { httpsProxy: 'http://of-the-config:1' } });
    assert.deepEqual(await seen(client(), '--env-file', join(folder, 'file.env')), [
      'HTTPS_PROXY=http://of-the-config:1',
      'https_proxy=http://of-the-config:1',
    ]);
    await config({});
    assert.deepEqual(await seen(client()), []);
  });
}
