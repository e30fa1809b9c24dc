import { dockerArchive, smallImage, smallImageId, type SmallImage } from '../../setup/index.ts';
import { inOrder } from '../image-order.ts';
import { statusOfFaults } from '../causes.ts';
import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';

const history = [
  { created: '2020-02-03T04:05:06Z', created_by: '/bin/sh -c #(nop) ADD file:1 in / ' },
  {
    created: '2020-02-03T04:05:07Z',
    created_by: '/bin/sh -c #(nop)  CMD ["sh"]',
    empty_layer: true,
    comment: 'nothing',
  },
  { created: '2020-02-03T04:05:08.5Z', created_by: 'RUN /bin/sh -c touch /second', author: 'me' },
];

const settings = {
  User: 'nobody',
  ExposedPorts: { '80/tcp': {} },
  Env: ['PATH=/bin', 'A=b'],
  Entrypoint: ['/entry'],
  Cmd: ['sh', '-c', 'true'],
  Volumes: { '/data': {} },
  WorkingDir: '/work',
  Labels: { parity: 'two', side: 'left' },
  StopSignal: 'SIGINT',
  Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
  OnBuild: ['RUN true'],
  Shell: ['/bin/sh', '-ec'],
};

const base = [{ name: 'etc/base', content: 'base\n' }];
/** The base alone, with nothing said. */
const plain = smallImage([base], { created: '2019-01-01T00:00:00Z' });
/** On the same base, with everything that a configuration may say. */
const two = smallImage([base, [{ name: 'second', content: 'second\n' }]], {
  created: '2020-02-03T04:05:08.5Z',
  author: 'me <me@example.com>',
  settings,
  history,
});
const arm = smallImage([[{ name: 'arm', content: 'arm\n' }]], {
  platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  settings: { Labels: { parity: 'arm' } },
});

/** What older and odder tools leave in configurations. */
const odd: readonly (readonly [name: string, image: SmallImage])[] = [
  ['no-health', smallImage([base], { settings: { Healthcheck: { Test: ['NONE'] }, Labels: {} } })],
  ['empty-lists', smallImage([base], { settings: { Env: [], Cmd: [], Entrypoint: [], OnBuild: [] } })],
  ['nulls', smallImage([base], { settings: { Env: null, Cmd: null, Labels: null, Volumes: null } })],
  ['a-variant', smallImage([base], { platform: { os: 'linux', architecture: 'arm', variant: 'v6' } })],
  ['escaped', smallImage([base], { settings: { ArgsEscaped: true, StopSignal: '9', Cmd: ['a b'] } })],
  ['no-layers', smallImage([], { settings: { Cmd: ['x'] } })],
];

const tarHeaders = { 'Content-Type': 'application/x-tar' };

/** Loads images, not recorded; their ids are known by these names from now on. */
export async function loaded(
  engine: Session,
  entries: readonly {
    readonly image: SmallImage;
    readonly name: string;
    readonly tags?: readonly string[];
  }[],
): Promise<void> {
  for (const { image, name } of entries) engine.name(smallImageId(image).slice(7), name);
  await engine.quiet('POST', '/images/load?quiet=1', dockerArchive(entries));
}

const three = [
  { image: plain, name: 'plain', tags: ['plain:1', 'plain:latest', 'registry.example/a/plain:1'] },
  { image: two, name: 'two', tags: ['two:latest'] },
  { image: arm, name: 'arm', tags: ['arm:latest'] },
];

const filters = (value: object): string => encodeURIComponent(JSON.stringify(value));

const binned = 'what is pruned goes to a bin first and is freed later';

const ordered = (body: unknown): unknown =>
  Array.isArray(body) ? inOrder(body as readonly JsonRecord[]) : body;

const list: Scenario = {
  operation: 'ImageList',
  differences: statusOfFaults('until nonsense', 'by a broken pattern'),
  run: async (engine) => {
    await loaded(engine, three);
    const at = async (step: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'GET', `/images/json${query}`, { pick: ordered });
    await at('all of them');
    await at('with those in between', '?all=1');
    await at('with digests', '?digests=1');
    await at('with what they share', '?shared-size=1');
    for (const [step, filter] of [
      ['none dangling', { dangling: ['true'] }],
      ['not dangling', { dangling: ['false'] }],
      ['dangling unclear', { dangling: ['maybe'] }],
      ['by label', { label: ['parity'] }],
      ['by a label and its value', { label: ['parity=two'] }],
      ['by two labels', { label: ['parity', 'side=left'] }],
      ['without a label', { 'label!': ['parity'] }],
      ['before one', { before: ['two'] }],
      ['before one by id', { before: [smallImageId(two)] }],
      ['before one that is missing', { before: ['nope'] }],
      ['since one', { since: ['plain:1'] }],
      ['since one that is missing', { since: ['nope:3'] }],
      ['until a day', { until: ['2020-01-01'] }],
      ['until a time', { until: ['1580000000'] }],
      ['until nonsense', { until: ['yesterday'] }],
      ['by name', { reference: ['plain'] }],
      ['by name and tag', { reference: ['plain:1'] }],
      ['by a pattern', { reference: ['pl*:l*'] }],
      ['by a pattern with a slash', { reference: ['registry.example/*/plain'] }],
      ['by two names', { reference: ['two', 'arm:latest'] }],
      ['by a name that is missing', { reference: ['nope'] }],
      ['by a broken pattern', { reference: ['[a'] }],
      ['a filter that there is not', { nope: ['1'] }],
    ] as const) {
      await at(step, `?filters=${filters(filter)}`);
    }
    await at('broken filters', '?filters=x');
    await at('by the old filter', '?filter=plain');
    await engine.create('user', { Image: 'two' });
    await at('used by a container');
    await engine.quiet('DELETE', '/images/two?force=1');
    await at('dangling now', `?filters=${filters({ dangling: ['true'] })}`);
  },
};

const inspect: Scenario = {
  operation: 'ImageInspect',
  run: async (engine) => {
    await loaded(engine, three);
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'GET', `/images/${name}/json${query}`);
    await at('one that says nothing', 'plain:1');
    await at('one that says everything', 'two');
    await at('of another platform', 'arm');
    await at('by its id', smallImageId(two));
    await at('by hexadecimal digits', smallImageId(two).slice(7));
    await at('by the beginning of its id', smallImageId(two).slice(7, 19));
    await at('by the beginning with its algorithm', smallImageId(two).slice(0, 19));
    await at('by a name with a registry', 'registry.example/a/plain:1');
    await at('by its whole name', 'docker.io/library/two:latest');
    await at('one that is missing', 'nope');
    await at('a tag that is missing', 'two:nope');
    await at('an id that is missing', `sha256:${'0'.repeat(64)}`);
    await at('a digest that is missing', `two@sha256:${'0'.repeat(64)}`);
    await at('a name that is none', 'Two');
    await at(
      'by a platform',
      'two',
      `?platform=${encodeURIComponent('{"os":"linux","architecture":"amd64"}')}`,
    );
    await at(
      'by another platform',
      'two',
      `?platform=${encodeURIComponent('{"os":"linux","architecture":"arm64"}')}`,
    );
    await at('by a platform that is none', 'two', '?platform=linux');
    await engine.quiet('POST', '/images/two/tag?repo=other/two&tag=x');
    await at('with another name', 'two');
    for (const [name, image] of odd) {
      await loaded(engine, [{ image, name, tags: [`${name}:latest`] }]);
      await at(`with ${name}`, name);
    }
  },
};

const steps: Scenario = {
  operation: 'ImageHistory',
  run: async (engine) => {
    await loaded(engine, three);
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'GET', `/images/${name}/history${query}`);
    await at('of one layer', 'plain');
    await at('with a step that changed nothing', 'two');
    await at('by id', smallImageId(arm));
    await at('of one that is missing', 'nope');
    await at(
      'by a platform',
      'two',
      `?platform=${encodeURIComponent('{"os":"linux","architecture":"amd64"}')}`,
    );
    await at(
      'by another platform',
      'two',
      `?platform=${encodeURIComponent('{"os":"linux","architecture":"s390x"}')}`,
    );
    await at('by a platform that is none', 'two', '?platform=nope');
  },
};

const tag: Scenario = {
  operation: 'ImageTag',
  run: async (engine) => {
    await loaded(engine, three);
    const at = async (step: string, name: string, query: string): Promise<unknown> =>
      engine.ask(step, 'POST', `/images/${name}/tag${query}`);
    await at('a name', 'plain', '?repo=again');
    await at('a name and a tag', 'plain', '?repo=again&tag=2');
    await at('the same again', 'plain', '?repo=again&tag=2');
    await at('a name with its tag', 'plain', '?repo=again:3');
    await at('with a registry', 'plain', '?repo=registry.example:5000/x/y&tag=z');
    await at('by id', smallImageId(plain), '?repo=byid&tag=1');
    await at('one that moves', 'two', '?repo=again&tag=2');
    await at('one that is missing', 'nope', '?repo=x');
    await at('a name that is none', 'plain', '?repo=Again');
    await at('a tag that is none', 'plain', '?repo=again&tag=a/b');
    await at('a digest', 'plain', `?repo=again@sha256:${'0'.repeat(64)}`);
    await at('the name of an algorithm', 'plain', '?repo=sha256&tag=1');
    await engine.ask('what came of it', 'GET', '/images/plain/json', {
      pick: (body) => (body as JsonRecord)['RepoTags'],
    });
    await engine.events('events', ['image']);
  },
};

const remove: Scenario = {
  operation: 'ImageDelete',
  run: async (engine) => {
    await loaded(engine, three);
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'DELETE', `/images/${name}${query}`);
    await at('one of several names', 'plain:1');
    await at('by id with names of several repositories', smallImageId(plain));
    await at('one that is missing', 'nope');
    await at('a name that is none', 'Nope');
    await engine.events('events of names', ['image']);
    for (const architecture of ['s390x', 'amd64']) {
      const platforms = encodeURIComponent(JSON.stringify({ os: 'linux', architecture }));
      await at(`by the platform ${architecture}`, 'two', `?platforms=${platforms}`);
    }
    await loaded(engine, three);
    await at('the last name', 'arm');
    await engine.create('user', { Image: 'two' });
    await at('used by a container', 'two');
    await at('used by a container, by id', smallImageId(two));
    await engine.quiet('POST', '/images/two/tag?repo=second');
    await at('used, with another name', 'two');
    await at('used, its last name', 'second');
    await at('used, by force', 'second', '?force=1');
    await at('used, by id and force', smallImageId(two), '?force=1');
    await engine.quiet('DELETE', '/containers/user');
    await engine.events('events', ['image']);
    await loaded(engine, three);
    await at('by id and force with several names', smallImageId(plain), '?force=1');
    await loaded(engine, three);
    await engine.quiet('POST', '/images/two/tag?repo=two&tag=b');
    await at('by id with names of one repository', smallImageId(two));
    await at('by id with names of one repository, by force', smallImageId(two), '?force=1');
    await at('without parents', 'arm', '?noprune=1');
    await engine.run('running', {});
    const { Id } = await engine.quiet('GET', '/images/busybox/json');
    engine.name(String(Id).slice(7), 'busybox');
    await at('used by a running container', 'busybox');
    await at('used by a running container, by id and force', String(Id), '?force=1');
    await at('used by a running container, by force', 'busybox', '?force=1');
    await engine.quiet('POST', `/images/${String(Id)}/tag?repo=busybox`);
    await engine.quiet('POST', '/images/busybox/tag?repo=busybox2');
    await at('another name, used', 'busybox2');
    await engine.end('running');
    await engine.events('events of the rest', ['image']);
    await at('what was loaded, gone', 'plain:latest');
    await at('what was loaded, gone too', 'registry.example/a/plain:1');
  },
};

const prune: Scenario = {
  operation: 'ImagePrune',
  differences: [
    ...statusOfFaults('until twice'),
    { path: 'body.SpaceReclaimed', cause: binned },
    { path: 'body.Wharf', cause: binned },
  ],
  run: async (engine) => {
    await engine.create('keeper', {});
    await loaded(engine, three);
    const at = async (step: string, filter?: object): Promise<unknown> =>
      engine.ask(step, 'POST', `/images/prune${filter ? `?filters=${filters(filter)}` : ''}`);
    await at('nothing');
    await loaded(engine, [{ image: arm, name: 'arm' }]);
    await loaded(engine, [{ image: plain, name: 'plain', tags: ['two:latest'] }]);
    for (const name of ['plain:1', 'two:latest', 'registry.example/a/plain:1']) {
      await engine.quiet('DELETE', `/images/${name}`);
    }
    await at('a filter that there is not', { nope: ['1'] });
    await at('unclear', { dangling: ['maybe'] });
    await at('until twice', { until: ['1h', '2h'] });
    await at('until before it', { until: ['2001-01-01'] });
    await at('by a label that it has not', { label: ['nope'] });
    await at('without a label that it has', { 'label!': ['parity'] });
    await at('what is dangling');
    await engine.events('events', ['image']);
    await engine.create('user', { Image: 'plain:latest', Cmd: ['x'] });
    await at('all by label', { dangling: ['false'], label: ['parity=arm'] });
    await at('all', { dangling: ['false'] });
    await engine.events('events of all', ['image']);
    await engine.ask('what is left', 'GET', '/images/json', { pick: ordered });
  },
};

const load: Scenario = {
  operation: 'ImageLoad',
  differences: [
    { step: 'what is no archive', path: 'body.error*', cause: 'the error says what was being read' },
  ],
  run: async (engine) => {
    const at = async (step: string, body: Uint8Array, query = '?quiet=1'): Promise<unknown> =>
      engine.ask(step, 'POST', `/images/load${query}`, { body, headers: tarHeaders });
    for (const { image, name } of three) engine.name(smallImageId(image).slice(7), name);
    const archive = dockerArchive(three);
    await at('several images', archive);
    await at('the same again', archive);
    await at('without a name', dockerArchive([{ image: plain }]));
    await at('a name that moves', dockerArchive([{ image: plain, tags: ['two:latest'] }]));
    await engine.events('events', ['image']);
    await at('with progress', dockerArchive([{ image: two, tags: ['two:latest'] }]), '');
    await at('what is no archive', Buffer.from('this is no archive at all'));
    await at(
      'for a platform',
      archive,
      `?quiet=1&platform=${encodeURIComponent('{"os":"linux","architecture":"amd64"}')}`,
    );
    await at('for a platform that is none', archive, '?quiet=1&platform=nope');
  },
};

const fileNames = (body: unknown): unknown => {
  const files = (body as { tar?: readonly string[] } | undefined)?.tar;
  if (!files) return body;
  const hex = /[0-9a-f]{64}/g;
  return files
    .filter((line) => !line.includes('repositories'))
    .map((line) => line.replace(hex, '<id>').split(' ').slice(0, 2).join(' '))
    .filter((line) => line.startsWith('folder') || !line.includes('blobs/'))
    .sort();
};

const saved = (
  operation: string,
  path: (names: readonly string[]) => string,
  several: boolean,
): Scenario => ({
  operation,
  differences: statusOfFaults('of another platform'),
  run: async (engine) => {
    await loaded(engine, three);
    const at = async (step: string, names: readonly string[], query = ''): Promise<unknown> =>
      engine.ask(step, 'GET', path(names) + query, { pick: fileNames });
    const mark = several ? '&' : '?';
    await at('by name', ['two']);
    await at('by id', [smallImageId(two)]);
    await at('with several names', ['plain']);
    await at('one that is missing', ['nope']);
    await at(
      'of a platform',
      ['two'],
      `${mark}platform=${encodeURIComponent('{"os":"linux","architecture":"amd64"}')}`,
    );
    await at(
      'of another platform',
      ['two'],
      `${mark}platform=${encodeURIComponent('{"os":"linux","architecture":"arm64"}')}`,
    );
    await at('of a platform that is none', ['two'], `${mark}platform=nope`);
    if (several) {
      await at('several', ['plain:1', 'two']);
      await at('one of several that is missing', ['plain:1', 'nope']);
    }
    // The reference saves several in no order.
    if (!several) await engine.events('events', ['image']);
  },
});

const get = saved('ImageGet', ([name = '']) => `/images/${name}/get`, false);
const getAll = saved(
  'ImageGetAll',
  (names) => `/images/get?${names.map((name) => `names=${name}`).join('&')}`,
  true,
);

/** One for each operation of images that needs no registry. */
export const imageScenarios: readonly Scenario[] = [
  list,
  inspect,
  steps,
  tag,
  remove,
  prune,
  load,
  get,
  getAll,
];
