import { faultsOfClients } from '../causes.ts';
import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';

const inspect: Scenario = {
  operation: 'ContainerInspect',
  differences: [
    {
      step: 'by its name with a slash',
      path: '*',
      cause: 'answered at once; the reference sends the client to the path with one slash',
    },
    { path: 'body.Wharf*', cause: 'a field of ours: what was seen of the run' },
  ],
  run: async (engine) => {
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/${name}/json${query}`);
    const id = await engine.create('new', { Cmd: ['sleep', '1000'] });
    await at('a created container', 'new');
    await at('by its id', id);
    await at('by the beginning of its id', id.slice(0, 12));
    await at('by its name with a slash', '/new');
    await at('without a version', 'new');
    await engine.quiet('POST', '/containers/new/start');
    await at('a running container', 'new');
    await at('with sizes', 'new', '?size=1');
    await at('sizes that are not wanted', 'new', '?size=0');
    await engine.quiet('POST', '/containers/new/pause');
    await at('a paused container', 'new');
    await engine.quiet('POST', '/containers/new/unpause');
    await engine.end('new');
    await at('an exited container', 'new');
    await engine.ran('all', ['sh', '-c', 'exit 4'], {
      Hostname: 'host',
      Env: ['A=b', 'EMPTY='],
      Labels: { team: 'x' },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '18080' }] }, Binds: ['/usr:/mnt:ro'] },
    });
    await at('with options', 'all');
    await engine.run('prt', {
      ExposedPorts: { '7/udp': {}, '80/tcp': {}, '81/tcp': {} },
      HostConfig: {
        PortBindings: {
          '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18081' }],
          '81/tcp': [{ HostIp: '0.0.0.0', HostPort: '' }],
        },
      },
    });
    await at('with ports', 'prt');
    await engine.quiet('POST', '/networks/create', { Name: 'net1', Labels: { a: 'b' } });
    await engine.run('net', {
      HostConfig: { NetworkMode: 'net1' },
      NetworkingConfig: { EndpointsConfig: { net1: { Aliases: ['other'] } } },
    });
    await at('in a network of its own', 'net');
    await engine.run('hst', { HostConfig: { NetworkMode: 'host' } });
    await at('in the network of the host', 'hst');
    await engine.run('non', { HostConfig: { NetworkMode: 'none' } });
    await at('in no network', 'non');
    await engine.run('hl', { Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000_000 } });
    await at('with a health check', 'hl');
    const { Id } = await engine.quiet('POST', '/containers/net/exec', { Cmd: ['sleep', '1000'] });
    engine.name(String(Id), 'exec');
    await engine.quiet('POST', `/exec/${String(Id)}/start`, { Detach: true });
    await at('with an exec', 'net');
    await at('no such container', 'nope');
    for (const name of ['prt', 'net', 'hst', 'non', 'hl']) await engine.end(name);
  },
};

const named = (body: unknown): unknown =>
  Array.isArray(body) ? body.map((one: JsonRecord) => one['Names']) : body;

async function makeListed(engine: Session): Promise<void> {
  await engine.create('c1', { Labels: { kind: 'first', all: '' }, ExposedPorts: { '80/tcp': {} } });
  await engine.ran('c2', ['sh', '-c', 'exit 3'], { Labels: { kind: 'second', all: '' } });
  await engine.run('c3', {
    Labels: { kind: 'third', all: '' },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18082' }] },
      Binds: ['vol1:/data:ro'],
    },
  });
  await engine.quiet('POST', '/networks/create', { Name: 'net2' });
  await engine.run('c4', {
    HostConfig: { NetworkMode: 'net2', Tmpfs: { '/mem': 'size=1m' }, Annotations: { note: 'here' } },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000_000 },
  });
  await engine.run('c5', { Cmd: ['sleep', '1000'], Entrypoint: ['/bin/busybox'], Tty: true });
  await engine.quiet('POST', '/containers/c5/pause');
}

const list: Scenario = {
  operation: 'ContainerList',
  differences: [
    ...faultsOfClients('a limit that is none', 'filter {"publish":["x"]}', 'filter {"expose":["70000"]}'),
  ],
  run: async (engine) => {
    const at = async (step: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/json${query}`);
    await at('none');
    await at('none of any', '?all=1');
    await makeListed(engine);
    await at('those that run');
    await at('all of them', '?all=1');
    await at('all of them in words', '?all=true');
    await at('with sizes', '?size=1');
    const names = async (step: string, query: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/json${query}`, { pick: named });
    await names('the last two', '?limit=2');
    await names('a limit beyond', '?limit=20');
    await names('a limit of 0', '?limit=0');
    await names('a negative limit', '?limit=-1');
    await names('a limit that is none', '?limit=x');
    await names('all and a limit', '?all=1&limit=1');
    await names('before one', '?all=1&before=c3');
    const filter = async (filters: JsonRecord, all = 1): Promise<unknown> =>
      names(
        `filter ${JSON.stringify(filters)}${all ? '' : ' of those that run'}`,
        `?all=${all}&filters=${encodeURIComponent(JSON.stringify(filters))}`,
      );
    for (const filters of filterCases) await filter(filters);
    await filter({ status: ['exited'] }, 0);
    await filter({ exited: ['3'] }, 0);
    await filter({ name: ['c1'] }, 0);
    await filter({ label: ['all'] }, 0);
    await filter({ since: ['c3'] }, 0);
    await names('filters that are no JSON', '?filters=x');
    await names('filters in a list', '?filters=%5B%5D');
    await names('filters of a wrong type', '?filters=%7B%22a%22%3A1%7D');
    await engine.quiet('POST', '/containers/c5/unpause');
    for (const name of ['c3', 'c4', 'c5']) await engine.end(name);
    await at('all that have exited', '?all=1');
  },
};

const filterCases: readonly JsonRecord[] = [
  { id: ['nothing'] },
  { name: ['c1'] },
  { name: ['/c1'] },
  { name: ['^/c[12]$'] },
  { name: ['^c[12]$'] },
  { name: ['c'] },
  { name: ['c1', 'c2'] },
  { name: ['['] },
  { label: ['kind'] },
  { label: ['kind=first'] },
  { label: ['kind=first', 'all'] },
  { label: ['kind=nothing'] },
  { label: { 'kind=second': true } },
  { 'label!': ['kind'] },
  { 'label!': ['kind=first'] },
  { exited: ['3'] },
  { exited: ['0'] },
  { exited: ['0', '3'] },
  { exited: ['x'] },
  { status: ['created'] },
  { status: ['running'] },
  { status: ['paused'] },
  { status: ['exited', 'created'] },
  { status: ['weird'] },
  { ancestor: ['busybox'] },
  { ancestor: ['busybox:latest'] },
  { ancestor: ['nothing'] },
  { ancestor: ['busybox:nothing'] },
  { before: ['c3'] },
  { before: ['nope'] },
  { since: ['c3'] },
  { since: ['nope'] },
  { since: ['c1'], before: ['c4'] },
  { volume: ['vol1'] },
  { volume: ['/data'] },
  { volume: ['nothing'] },
  { network: ['net2'] },
  { network: ['bridge'] },
  { network: ['nothing'] },
  { publish: ['80'] },
  { publish: ['80/tcp'] },
  { publish: ['18082'] },
  { publish: ['18080-18090'] },
  { publish: ['70-90/tcp'] },
  { publish: ['x'] },
  { expose: ['80/udp'] },
  { expose: ['80'] },
  { expose: ['80/tcp'] },
  { expose: ['70-90/tcp'] },
  { expose: ['0'] },
  { expose: ['70000'] },
  { health: ['none'] },
  { health: ['starting', 'healthy'] },
  { health: ['weird'] },
  { isolation: ['default'] },
  { isolation: ['process'] },
  { 'is-task': ['true'] },
  { 'is-task': ['false'] },
  { 'is-task': ['x'] },
  { bogus: ['x'] },
  {},
];

/** What is told of containers. */
export const inspectScenarios: readonly Scenario[] = [inspect, list];
