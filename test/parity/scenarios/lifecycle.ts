import { eventually } from '../../setup/index.ts';
import { faultsOfClients } from '../causes.ts';
import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';

const inspectState = async (engine: Session, step: string, name: string): Promise<void> => {
  await engine.ask(step, 'GET', `/containers/${name}/json`, {
    pick: (body) => ({ State: (body as JsonRecord)['State'] }),
  });
};

/** Ignores SIGTERM, so that only a kill ends it. */
const deaf = { Cmd: ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 1000 & wait; done'] };

const start: Scenario = {
  operation: 'ContainerStart',
  differences: [
    ...faultsOfClients('a container to share with that is missing'),
    {
      step: 'events of a failure',
      path: 'body*',
      cause: 'a network that was connected is told of, also when the program cannot be started',
    },
  ],
  run: async (engine) => {
    await engine.create('st', { Cmd: ['sleep', '1000'] });
    await engine.ask('a created container', 'POST', '/containers/st/start');
    await inspectState(engine, 'its state', 'st');
    await engine.ask('a running container', 'POST', '/containers/st/start');
    await engine.ask('with detach keys', 'POST', '/containers/st/start?detachKeys=ctrl-a');
    await engine.ask('with bad detach keys', 'POST', '/containers/st/start?detachKeys=ctrl-1x');
    await engine.ask('with a body', 'POST', '/containers/st/start', { body: { Binds: ['/a:/b'] } });
    await engine.ask('with an empty body', 'POST', '/containers/st/start', { body: {} });
    await engine.quiet('POST', '/containers/st/pause');
    await engine.ask('a paused container', 'POST', '/containers/st/start');
    await engine.quiet('POST', '/containers/st/unpause');
    await engine.end('st');
    await engine.ask('an exited container', 'POST', '/containers/st/start');
    await engine.ask('no such container', 'POST', '/containers/nope/start');
    await engine.events('events');
    await engine.create('missing', { Cmd: ['nosuchprogram'] });
    await engine.ask('a program that is missing', 'POST', '/containers/missing/start');
    await inspectState(engine, 'its state after the failure', 'missing');
    await engine.events('events of a failure');
    await engine.create('absolute', { Cmd: ['/no/such/program'] });
    await engine.ask('an absolute program that is missing', 'POST', '/containers/absolute/start');
    await engine.create('folder', { Cmd: ['/etc'] });
    await engine.ask('a program that is a folder', 'POST', '/containers/folder/start');
    await engine.create('noexec', { Cmd: ['/etc/passwd'] });
    await engine.ask('a program that is not executable', 'POST', '/containers/noexec/start');
    await inspectState(engine, 'its state when not executable', 'noexec');
    await engine.create('nouser', { Cmd: ['true'], User: 'nosuchuser' });
    await engine.ask('a user that is missing', 'POST', '/containers/nouser/start');
    await engine.create('nonet', { Cmd: ['true'], HostConfig: { NetworkMode: 'nonet' } });
    await engine.ask('a network that is missing', 'POST', '/containers/nonet/start');
    await inspectState(engine, 'its state without the network', 'nonet');
    await engine.create('nocont', { Cmd: ['true'], HostConfig: { NetworkMode: 'container:nope' } });
    await engine.ask('a container to share with that is missing', 'POST', '/containers/nocont/start');
  },
};

const stop: Scenario = {
  operation: 'ContainerStop',
  differences: [...faultsOfClients('a bad time', 'a bad signal')],
  run: async (engine) => {
    await engine.run('sp');
    await engine.ask('a running container', 'POST', '/containers/sp/stop');
    await inspectState(engine, 'its state', 'sp');
    await engine.ask('a stopped container', 'POST', '/containers/sp/stop');
    await engine.ask('no such container', 'POST', '/containers/nope/stop');
    await engine.events('events of a stop');
    await engine.run('deaf', deaf);
    await engine.ask('a deaf container in no time', 'POST', '/containers/deaf/stop?t=0');
    await inspectState(engine, 'its state after the kill', 'deaf');
    await engine.events('events of a stop by force');
    await engine.quiet('POST', '/containers/deaf/start');
    await engine.ask('a bad time', 'POST', '/containers/deaf/stop?t=soon');
    await engine.ask('a bad signal', 'POST', '/containers/deaf/stop?t=0&signal=NOPE');
    await engine.ask('with a signal of its own', 'POST', '/containers/deaf/stop?t=0&signal=USR1');
    await engine.quiet('POST', '/containers/deaf/wait');
    await engine.run('sig', {
      Cmd: ['sh', '-c', 'trap "exit 7" USR2; echo ready; while :; do sleep 1000 & wait; done'],
      StopSignal: 'SIGUSR2',
      StopTimeout: 30,
    });
    await engine.ask('with the signal of its configuration', 'POST', '/containers/sig/stop');
    await inspectState(engine, 'its exit code', 'sig');
    await engine.run('pz', deaf);
    await engine.quiet('POST', '/containers/pz/pause');
    await engine.ask('a paused container', 'POST', '/containers/pz/stop?t=0');
    await inspectState(engine, 'the state of what was paused', 'pz');
  },
};

const restart: Scenario = {
  operation: 'ContainerRestart',
  differences: [
    ...faultsOfClients('a bad time', 'a bad signal'),
    { step: 'events', path: 'body*', cause: 'the reference tells of the stop before or after the death' },
  ],
  run: async (engine) => {
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'POST', `/containers/${name}/restart${query}`);
    await engine.run('rs');
    await at('a running container', 'rs');
    await inspectState(engine, 'its state', 'rs');
    await engine.events('events');
    await at('in no time', 'rs', '?t=0');
    await at('a bad time', 'rs', '?t=x');
    await at('with a signal of its own', 'rs', '?t=0&signal=USR1');
    await at('a bad signal', 'rs', '?t=0&signal=NOPE');
    await at('no such container', 'nope');
    await engine.create('new', { Cmd: ['sleep', '1000'] });
    await at('a created container', 'new');
    await inspectState(engine, 'its state after a restart', 'new');
    await engine.end('new');
    await at('an exited container', 'new');
    await inspectState(engine, 'its state after another one', 'new');
  },
};

const kill: Scenario = {
  operation: 'ContainerKill',
  run: async (engine) => {
    const at = async (step: string, query = '', name = 'kl'): Promise<unknown> =>
      engine.ask(step, 'POST', `/containers/${name}/kill${query}`);
    await engine.run('kl', deaf);
    await at('by a short name', '?signal=TERM');
    await at('by a long name', '?signal=SIGTERM');
    await at('in lower case', '?signal=sigterm');
    await at('by a number', '?signal=15');
    await at('a name that is none', '?signal=NOPE');
    await at('a number that is none', '?signal=99');
    await at('number 0', '?signal=0');
    await at('real time', '?signal=SIGRTMIN%2B1');
    await engine.run('kl2', deaf);
    await at('without a signal', '', 'kl2');
    await engine.quiet('POST', '/containers/kl2/wait');
    await inspectState(engine, 'its state', 'kl2');
    await at('an exited container', '', 'kl2');
    await engine.create('kl3');
    await at('a created container', '', 'kl3');
    await at('no such container', '', 'nope');
    await engine.run('kl4', deaf);
    await engine.quiet('POST', '/containers/kl4/pause');
    await at('a paused container', '?signal=TERM', 'kl4');
    await at('a paused container for good', '?signal=KILL', 'kl4');
    await engine.quiet('POST', '/containers/kl4/wait');
    await inspectState(engine, 'the state of what was paused', 'kl4');
  },
};

const pause: Scenario = {
  operation: 'ContainerPause',
  run: async (engine) => {
    const at = async (step: string, name = 'pa'): Promise<unknown> =>
      engine.ask(step, 'POST', `/containers/${name}/pause`);
    await engine.run('pa');
    await at('a running container');
    await inspectState(engine, 'its state', 'pa');
    await at('a paused container');
    await engine.create('new');
    await at('a created container', 'new');
    await engine.ran('old', ['true']);
    await at('an exited container', 'old');
    await at('no such container', 'nope');
    await engine.quiet('POST', '/containers/pa/unpause');
    await engine.quiet('POST', '/containers/pa/rename?name=pa2');
    await at('a renamed container', 'pa2');
    await engine.quiet('POST', '/containers/pa2/unpause');
  },
};

const unpause: Scenario = {
  operation: 'ContainerUnpause',
  run: async (engine) => {
    const at = async (step: string, name = 'up'): Promise<unknown> =>
      engine.ask(step, 'POST', `/containers/${name}/unpause`);
    await engine.run('up');
    await at('a running container');
    await engine.quiet('POST', '/containers/up/pause');
    await at('a paused container');
    await inspectState(engine, 'its state', 'up');
    await engine.create('new');
    await at('a created container', 'new');
    await engine.ran('old', ['true']);
    await at('an exited container', 'old');
    await at('no such container', 'nope');
    await engine.end('up');
  },
};

const rename: Scenario = {
  operation: 'ContainerRename',
  run: async (engine) => {
    await engine.create('rn');
    await engine.create('taken');
    const to = async (step: string, query: string, name = 'rn'): Promise<unknown> =>
      engine.ask(step, 'POST', `/containers/${name}/rename${query}`);
    await to('to a new name', '?name=rn2');
    await to('with a leading slash', '?name=/rn3', 'rn2');
    await to('to its own name', '?name=rn3', 'rn3');
    await to('to a name that is taken', '?name=taken', 'rn3');
    await to('to a name that is too short', '?name=a', 'rn3');
    await to('to a name with bad characters', '?name=a%20b', 'rn3');
    await to('to nothing', '?name=', 'rn3');
    await to('without a name', '', 'rn3');
    await to('no such container', '?name=other', 'nope');
    await engine.run('up');
    await to('a running container', '?name=up2', 'up');
    await engine.ask('the old name', 'GET', '/containers/up/json');
    await engine.ask('the new name', 'GET', '/containers/up2/json', {
      pick: (body) => ({ Name: (body as JsonRecord)['Name'] }),
    });
    await engine.events('events', ['container']);
  },
};

/** The engine may answer before the last event is sent. */
const gone = async (engine: Session, name: string): Promise<unknown> =>
  eventually(() =>
    engine.quiet('GET', `/containers/${name}/json`).then(
      () => false,
      () => true,
    ),
  );

const remove: Scenario = {
  operation: 'ContainerDelete',
  run: async (engine) => {
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'DELETE', `/containers/${name}${query}`);
    const volumes = async (step: string): Promise<unknown> =>
      engine.ask(step, 'GET', '/volumes', {
        pick: (body) => ((body as JsonRecord)['Volumes'] as readonly unknown[] | null)?.length ?? 0,
      });
    await engine.create('rm1');
    await at('a created container', 'rm1');
    await at('once more', 'rm1');
    await engine.run('rm2');
    await at('a running container', 'rm2');
    await at('without force', 'rm2', '?force=0');
    await engine.quiet('POST', '/containers/rm2/pause');
    await at('a paused container', 'rm2');
    await engine.quiet('POST', '/containers/rm2/unpause');
    await at('a running container by force', 'rm2', '?force=1');
    await gone(engine, 'rm2');
    await engine.events('events');
    await engine.create('rm3', { Volumes: { '/data': {} } });
    await at('without its volumes', 'rm3');
    await volumes('volumes that stay');
    await engine.create('rm4', { Volumes: { '/data': {} } });
    await at('with its volumes', 'rm4', '?v=1');
    await volumes('volumes that stay then');
    await at('a path that is none', 'rm5/nolink', '?link=1');
    await at('a link of a container that does not exist', 'nope', '?link=1');
    await engine.ran('rm6', ['true']);
    await at('an exited container', 'rm6');
    await engine.run('rm7', { HostConfig: { AutoRemove: true } });
    await at('one that removes itself, by force', 'rm7', '?force=1');
    await gone(engine, 'rm7');
    await at('it is gone', 'rm7');
  },
};

const prune: Scenario = {
  operation: 'ContainerPrune',
  run: async (engine) => {
    const pick = (body: unknown): unknown => {
      const { ContainersDeleted: deleted, ...rest } = body as JsonRecord;
      return { ...rest, ContainersDeleted: Array.isArray(deleted) ? deleted.length : deleted };
    };
    const at = async (step: string, filters?: unknown): Promise<unknown> => {
      const query = filters === undefined ? '' : `?filters=${encodeURIComponent(JSON.stringify(filters))}`;
      return engine.ask(step, 'POST', `/containers/prune${query}`, { pick });
    };
    await at('nothing to remove');
    await engine.create('pr1', { Labels: { a: 'b' } });
    await engine.ran('pr2', ['sh', '-c', 'echo x > /file'], { Labels: { a: 'c' } });
    await engine.ran('pr3', ['true']);
    await engine.run('pr4');
    await at('an unknown filter', { bogus: ['x'] });
    await engine.ask('filters that are no JSON', 'POST', '/containers/prune?filters=x');
    await at('older than long ago', { until: ['2001-01-01T00:00:00'] });
    await at('a time that is none', { until: ['soon'] });
    await at('two times', { until: ['1h', '2h'] });
    await at('with a label', { label: ['a=b'] });
    await at('without a label', { 'label!': ['a'] });
    await at('in the form of maps', { label: { 'a=c': true } });
    await engine.ran('pr5', ['true']);
    await at('all that are stopped');
    await engine.events('events', ['container']);
  },
};

const wait: Scenario = {
  operation: 'ContainerWait',
  run: async (engine) => {
    await engine.create('w1', { Cmd: ['sh', '-c', 'exit 3'] });
    const path = (query = '', name = 'w1'): string => `/containers/${name}/wait${query}`;
    if (engine.atLeast('1.30')) {
      await engine.ask('a created container', 'POST', path());
      await engine.ask('not running', 'POST', path('?condition=not-running'));
      const headers = { Connection: 'close' };
      const next = await engine.take('POST', path('?condition=next-exit'), { headers });
      await engine.quiet('POST', '/containers/w1/start');
      await engine.taken('the next exit', 'POST', path('?condition=next-exit'), next);
      await engine.create('w2', { Cmd: ['sh', '-c', 'exit 5'], HostConfig: { AutoRemove: true } });
      const removed = await engine.take('POST', path('?condition=removed', 'w2'), { headers });
      await engine.quiet('POST', '/containers/w2/start');
      await engine.taken('the removal', 'POST', path('?condition=removed', 'w2'), removed);
      await engine.create('w3', { Cmd: ['nosuchprogram'] });
      const failing = await engine.take('POST', path('?condition=next-exit', 'w3'), { headers });
      await engine.ask('a start that fails', 'POST', '/containers/w3/start');
      failing.close();
      const failed = await engine.take('POST', path('?condition=removed', 'w3'), { headers });
      await engine.quiet('DELETE', '/containers/w3');
      await engine.taken('the removal without a run', 'POST', path('?condition=removed', 'w3'), failed);
    } else {
      await engine.quiet('POST', '/containers/w1/start');
    }
    await engine.until('w1', ({ Status }) => Status === 'exited');
    await engine.ask('an exited container', 'POST', path());
    await engine.ask('a condition that is none', 'POST', path('?condition=bogus'));
    await engine.ask('no such container', 'POST', path('', 'nope'));
    await engine.create('w4', { Cmd: ['sh', '-c', 'sleep 0.2; kill -9 $$'] });
    await engine.quiet('POST', '/containers/w4/start');
    await engine.ask('a running container', 'POST', path('', 'w4'));
  },
};

const resize: Scenario = {
  operation: 'ContainerResize',
  run: async (engine) => {
    const at = async (step: string, query: string, name = 'rz'): Promise<unknown> =>
      engine.ask(step, 'POST', `/containers/${name}/resize${query}`);
    const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done'];
    await engine.create('rz', { Cmd: command, Tty: true });
    await at('a created container', '?h=20&w=30');
    await engine.quiet('POST', '/containers/rz/start');
    await at('a terminal', '?h=20&w=30');
    await at('without a height', '?w=30');
    await at('without a width', '?h=20');
    await at('a height that is no number', '?h=x&w=30');
    await at('a width that is no number', '?h=20&w=x');
    await at('a negative height', '?h=-1&w=30');
    await at('a height that is too large', '?h=70000&w=30');
    await at('a height that is far too large', '?h=5000000000&w=30');
    await at('zero', '?h=0&w=0');
    await engine.run('pl');
    await at('no terminal', '?h=20&w=30', 'pl');
    await at('no such container', '?h=20&w=30', 'nope');
    await engine.end('rz');
    await at('an exited container', '?h=20&w=30');
    await engine.events('events', ['container']);
  },
};

/** Starting, ending and naming. */
export const lifecycleScenarios: readonly Scenario[] = [
  start,
  stop,
  restart,
  kill,
  pause,
  unpause,
  rename,
  remove,
  prune,
  wait,
  resize,
];
