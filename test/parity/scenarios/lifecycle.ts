import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';

const inspectState = async (engine: Session, step: string, name: string): Promise<void> => {
  await engine.ask(step, 'GET', `/containers/${name}/json`, {
    pick: (body) => ({ State: (body as JsonRecord)['State'] }),
  });
};

/** Ignores SIGTERM, so that only a kill ends it. */
const deaf = { Cmd: ['sh', '-c', 'trap "" TERM; while :; do sleep 1000 & wait; done'] };

const start: Scenario = {
  operation: 'ContainerStart',
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
    await engine.quiet('POST', '/containers/st/kill');
    await engine.quiet('POST', '/containers/st/wait');
    await engine.ask('an exited container', 'POST', '/containers/st/start');
    await engine.ask('no such container', 'POST', '/containers/nope/start');
    await engine.create('missing', { Cmd: ['nosuchprogram'] });
    await engine.ask('a program that is missing', 'POST', '/containers/missing/start');
    await inspectState(engine, 'its state after the failure', 'missing');
    await engine.create('absolute', { Cmd: ['/no/such/program'] });
    await engine.ask('an absolute program that is missing', 'POST', '/containers/absolute/start');
    await engine.create('folder', { Cmd: ['/etc'] });
    await engine.ask('a program that is a folder', 'POST', '/containers/folder/start');
    await engine.create('noexec', { Cmd: ['/etc/passwd'] });
    await engine.ask('a program that is not executable', 'POST', '/containers/noexec/start');
    await engine.create('nouser', { Cmd: ['true'], User: 'nosuchuser' });
    await engine.ask('a user that is missing', 'POST', '/containers/nouser/start');
    await engine.create('nonet', { Cmd: ['true'], HostConfig: { NetworkMode: 'nonet' } });
    await engine.ask('a network that is missing', 'POST', '/containers/nonet/start');
    await engine.create('nocont', { Cmd: ['true'], HostConfig: { NetworkMode: 'container:nope' } });
    await engine.ask('a container to share with that is missing', 'POST', '/containers/nocont/start');
    await engine.events('events');
  },
};

const stop: Scenario = {
  operation: 'ContainerStop',
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
    await engine.quiet('POST', '/containers/deaf/start');
    await engine.ask('a bad time', 'POST', '/containers/deaf/stop?t=soon');
    await engine.ask('a bad signal', 'POST', '/containers/deaf/stop?t=0&signal=NOPE');
    await engine.quiet('POST', '/containers/deaf/start');
    await engine.ask('with a signal of its own', 'POST', '/containers/deaf/stop?t=0&signal=USR1');
    await inspectState(engine, 'its state after the signal', 'deaf');
    await engine.run('sig', {
      Cmd: ['sh', '-c', 'trap "exit 7" USR2; while :; do sleep 1000 & wait; done'],
      StopSignal: 'SIGUSR2',
      StopTimeout: 30,
    });
    await engine.ask('with the signal of its configuration', 'POST', '/containers/sig/stop');
    await inspectState(engine, 'its exit code', 'sig');
    await engine.run('pz', deaf);
    await engine.quiet('POST', '/containers/pz/pause');
    await engine.ask('a paused container', 'POST', '/containers/pz/stop?t=1');
    await inspectState(engine, 'the state of what was paused', 'pz');
    await engine.events('events of further stops');
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

/** Starting, ending and naming. */
export const lifecycleScenarios: readonly Scenario[] = [start, stop, rename];
