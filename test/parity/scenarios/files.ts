import { gzipSync } from 'node:zlib';
import { eventually, makeTar } from '../../setup/index.ts';
import { faultsOfClients } from '../causes.ts';
import type { Scenario } from '../scenario.ts';
import type { Session } from '../session.ts';

const files = [
  'mkdir /folder',
  'echo hello > /folder/file',
  'ln -s file /folder/link',
  'ln -s /folder /away',
  'ln -s nowhere /dangling',
  'ln /folder/file /folder/hard',
  'chown 7:8 /folder/file',
  'chmod 4750 /folder/file',
  'mkfifo /folder/pipe',
  'touch -d @1700000000 /folder/file /folder',
].join(' && ');

const paths = [
  ['a file', '/folder/file'],
  ['a folder', '/folder'],
  ['a folder with a slash', '/folder/'],
  ['the inside of a folder', '/folder/.'],
  ['a link', '/folder/link'],
  ['a link to a folder', '/away'],
  ['a link to a folder with a slash', '/away/'],
  ['below a link to a folder', '/away/file'],
  ['a dangling link', '/dangling'],
  ['a relative path', 'folder/file'],
  ['a path upwards', '/../../folder/file'],
  ['a named pipe', '/folder/pipe'],
  ['what is missing', '/no/such/file'],
  ['below a file', '/folder/file/x'],
  ['a file with a slash', '/folder/file/'],
  ['a file that was mounted', '/etc/hostname'],
] as const;

const archivePath = (path: string, name = 'ar'): string =>
  `/containers/${name}/archive?path=${encodeURIComponent(path)}`;

/** Both on a container that ran and on a running one. */
const reads = (operation: string, method: 'GET' | 'HEAD'): Scenario => ({
  operation,
  differences: faultsOfClients('below a file', 'a file with a slash'),
  run: async (engine) => {
    const at = async (step: string, path: string): Promise<unknown> => engine.ask(step, method, path);
    await engine.ran('ar', ['sh', '-c', files], { Hostname: 'fixed' });
    for (const [step, path] of paths) await at(step, archivePath(path));
    await at('no path', '/containers/ar/archive');
    await at('an empty path', archivePath(''));
    await at('no such container', archivePath('/etc', 'nope'));
    await engine.run('up', {
      Cmd: ['sh', '-c', `${files}; touch /ready; sleep 1000`],
      Volumes: { '/data': {} },
    });
    await engine.quiet('POST', '/containers/up/exec', { Cmd: ['true'] });
    await made(engine, 'up', '/ready');
    for (const [step, path] of paths.slice(0, 6)) await at(`${step}, running`, archivePath(path, 'up'));
    await at('a volume', archivePath('/data', 'up'));
    await engine.create('new');
    await at('a created container', archivePath('/etc/group', 'new'));
    await engine.end('up');
    await engine.events('events', ['container']);
  },
});

/** Until a running container has made a file. */
const made = async (engine: Session, name: string, path: string): Promise<unknown> =>
  eventually(() => engine.quiet('GET', archivePath(path, name)), { timeout: 20_000 });

const write: Scenario = {
  operation: 'PutContainerArchive',
  differences: [
    ...faultsOfClients(
      'what is no tar',
      'a file over a folder, refused',
      'a folder over a file, refused',
      'out of the root',
    ),
  ],
  run: async (engine) => {
    const put = async (
      step: string,
      path: string,
      body: Uint8Array,
      query = '',
      name = 'pu',
    ): Promise<unknown> =>
      engine.ask(step, 'PUT', archivePath(path, name) + query, {
        body,
        headers: { 'Content-Type': 'application/x-tar' },
      });
    const see = async (step: string, path: string, name = 'pu'): Promise<unknown> =>
      engine.ask(step, 'GET', archivePath(path, name));
    const tar = makeTar([
      { name: 'new/', folder: true },
      { name: 'new/file', content: 'put here\n', uid: 12 },
    ]);
    await engine.create('pu');
    await put('to a folder', '/tmp', tar);
    await see('what came of it', '/tmp/new');
    await put('with owners', '/tmp', tar, '&copyUIDGID=1');
    await see('what came of it with owners', '/tmp/new');
    await put('compressed', '/home', gzipSync(tar));
    await see('what came of it compressed', '/home/new');
    await put('to a folder that is missing', '/no/such', tar);
    await put('to a file', '/etc/passwd', tar);
    await put('what is no tar', '/tmp', Buffer.from('this is no archive at all'));
    await put('nothing', '/tmp', new Uint8Array());
    const over = makeTar([{ name: 'new', content: 'a file now\n' }]);
    await put('a file over a folder, refused', '/tmp', over, '&noOverwriteDirNonDir=1');
    await put('a file over a folder', '/tmp', over);
    await see('what came of it over a folder', '/tmp/new');
    await put('a folder over a file, refused', '/tmp', tar, '&noOverwriteDirNonDir=true');
    await engine.ask('no path', 'PUT', '/containers/pu/archive', { body: tar });
    await put('no such container', '/tmp', tar, '', 'nope');
    await put('out of the root', '/tmp', makeTar([{ name: '../../escaped', content: 'x' }]));
    await engine.create('ro', { HostConfig: { ReadonlyRootfs: true } });
    await put('a read-only root', '/tmp', tar, '', 'ro');
    await engine.run('up', { Volumes: { '/data': {} } });
    await put('a running container', '/tmp', tar, '', 'up');
    await put('a volume', '/data', tar, '', 'up');
    await see('what came of it in a volume', '/data', 'up');
    await engine.end('up');
    await engine.events('events', ['container']);
  },
};

/** The reference tells changes in no order. */
const byPath = (body: unknown): unknown =>
  Array.isArray(body) ? body.map((one) => JSON.stringify(one)).sort() : body;

const changes: Scenario = {
  operation: 'ContainerChanges',
  run: async (engine) => {
    const at = async (step: string, name: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/${name}/changes`, { pick: byPath });
    await engine.create('new');
    await at('a created container', 'new');
    await engine.ran('same', ['true']);
    await at('nothing changed', 'same');
    const script = [
      'echo x > /added',
      'mkdir -p /folder/deep',
      'echo y > /folder/deep/file',
      'echo more >> /etc/group',
      'rm /etc/passwd',
      'rm -r /var/www',
      'mkdir /var/www',
      'chmod 700 /home',
      'ln -s /added /link',
      'rm /bin/ash',
    ];
    await engine.ran('all', ['sh', '-c', script.join(' && ')]);
    await at('added, changed and removed', 'all');
    await engine.ran('mnt', ['sh', '-c', 'echo x > /data/file; echo y > /mem/file'], {
      Volumes: { '/data': {} },
      HostConfig: { Tmpfs: { '/mem': '' } },
    });
    await at('mounts', 'mnt');
    await engine.run('up', { Cmd: ['sh', '-c', 'echo x > /now; sleep 1000'] });
    await made(engine, 'up', '/now');
    await at('a running container', 'up');
    await at('no such container', 'nope');
  },
};

const exported: Scenario = {
  operation: 'ContainerExport',
  differences: [
    {
      step: 'an exited container',
      path: 'body.tar*',
      cause: 'crun makes a missing place for a mount with the sticky bit',
    },
  ],
  run: async (engine) => {
    const pick = (body: unknown): unknown => {
      const { tar } = (body ?? {}) as { tar?: readonly string[] };
      // Of busybox itself only some: its programs are the host's.
      return tar ? { tar: tar.filter((entry) => !/^(?:file|link) (?:\.\/)?bin\//.test(entry)) } : body;
    };
    const at = async (step: string, name: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/${name}/export`, { pick });
    await engine.create('new');
    await at('a created container', 'new');
    await engine.ran('old', ['sh', '-c', `${files} && rm /etc/group && echo x > /data/file`], {
      Volumes: { '/data': {} },
    });
    await at('an exited container', 'old');
    await engine.run('up');
    await at('a running container', 'up');
    await at('no such container', 'nope');
    await engine.end('up');
    await engine.events('events', ['container']);
  },
};

/** What is in a container's folders. */
export const fileScenarios: readonly Scenario[] = [
  reads('ContainerArchiveInfo', 'HEAD'),
  reads('ContainerArchive', 'GET'),
  write,
  changes,
  exported,
];
