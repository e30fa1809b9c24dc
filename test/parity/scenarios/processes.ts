import { eventually } from '../../setup/index.ts';
import { faultsOfClients } from '../causes.ts';
import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';
import { upgrade } from '../wire.ts';

const top: Scenario = {
  operation: 'ContainerTop',
  differences: [...faultsOfClients('without the column PID')],
  run: async (engine) => {
    /** Of the processes only how many columns they have, and what they run. */
    const pick = (body: unknown): unknown => {
      const { Processes, ...rest } = body as JsonRecord;
      if (!Array.isArray(Processes)) return body;
      const shown = Processes.map((one: readonly string[]) => `${one.length} columns, ${one.at(-1) ?? ''}`);
      return { ...rest, Processes: shown.sort() };
    };
    const at = async (step: string, name: string, args?: string): Promise<unknown> => {
      const query = args === undefined ? '' : `?ps_args=${encodeURIComponent(args)}`;
      return engine.ask(step, 'GET', `/containers/${name}/top${query}`, { pick });
    };
    await engine.run('tp', { Cmd: ['sh', '-c', 'sleep 1000 & echo ready; exec sleep 2000'] });
    await at('as it comes', 'tp');
    await at('in full', 'tp', '-ef');
    await at('as of old', 'tp', 'aux');
    await at('with columns of its own', 'tp', '-o pid,args');
    await at('with empty arguments', 'tp', '');
    await at('without the column PID', 'tp', '-o user,args');
    await at('with arguments that are none', 'tp', '--bogus');
    await at('no such container', 'nope');
    await engine.create('new');
    await at('a created container', 'new');
    await engine.quiet('POST', '/containers/tp/pause');
    await at('a paused container', 'tp');
    await engine.quiet('POST', '/containers/tp/unpause');
    await engine.end('tp');
    await at('an exited container', 'tp');
    await engine.events('events', ['container']);
  },
};

const execCreate: Scenario = {
  operation: 'ContainerExec',
  differences: [...faultsOfClients('bad detach keys')],
  run: async (engine) => {
    const at = async (step: string, name: string, body: unknown): Promise<void> => {
      const answer = await engine.json(step, 'POST', `/containers/${name}/exec`, { body });
      const id = answer['Id'];
      if (typeof id !== 'string') return;
      await engine.ask(`${step}, seen`, 'GET', `/exec/${id}/json`);
    };
    await engine.run('ex');
    await at('a command', 'ex', { Cmd: ['true'] });
    await at('a command with all streams', 'ex', {
      Cmd: ['sh', '-c', 'echo a b'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
      Env: ['A=b'],
      User: 'daemon',
      WorkingDir: '/tmp',
      Privileged: true,
      DetachKeys: 'ctrl-a',
      ConsoleSize: [20, 30],
    });
    await at('no command', 'ex', {});
    await at('an empty command', 'ex', { Cmd: [] });
    await at('a command in one text', 'ex', { Cmd: 'true' });
    await at('bad detach keys', 'ex', { Cmd: ['true'], DetachKeys: 'ctrl-1x' });
    await at('a user that is missing', 'ex', { Cmd: ['true'], User: 'nosuchuser' });
    await at('a broken variable', 'ex', { Cmd: ['true'], Env: ['=x'] });
    await at('a wrong type', 'ex', { Cmd: 5 });
    await engine.ask('no JSON', 'POST', '/containers/ex/exec', {
      body: Buffer.from('{'),
      headers: { 'Content-Type': 'application/json' },
    });
    await engine.ask('no body', 'POST', '/containers/ex/exec');
    await at('no such container', 'nope', { Cmd: ['true'] });
    await engine.quiet('POST', '/containers/ex/pause');
    await at('a paused container', 'ex', { Cmd: ['true'] });
    await engine.quiet('POST', '/containers/ex/unpause');
    await engine.end('ex');
    await at('an exited container', 'ex', { Cmd: ['true'] });
    await engine.create('new');
    await at('a created container', 'new', { Cmd: ['true'] });
    await engine.events('events', ['container']);
  },
};

async function prepare(engine: Session, body: JsonRecord, container = 'ex'): Promise<string> {
  const { Id } = await engine.quiet('POST', `/containers/${container}/exec`, body);
  engine.name(String(Id), 'exec');
  return String(Id);
}

async function ended(engine: Session, id: string): Promise<void> {
  await eventually(
    async () => {
      const { Running, ExitCode } = await engine.quiet('GET', `/exec/${id}/json`);
      return Running === false && ExitCode !== null;
    },
    { timeout: 20_000 },
  );
  await engine.execDied(id);
}

const both = { AttachStdout: true, AttachStderr: true };

const execStart: Scenario = {
  operation: 'ExecStart',
  differences: [
    { step: 'events', path: 'body*', cause: 'the reference tells of the end of an exec late' },
    {
      step: 'detached from by keys',
      path: 'body.text',
      cause: 'to detach is no error; the reference takes the exec for failed though it runs on',
    },
    {
      step: 'detached from by keys, afterwards',
      path: 'body.*',
      cause: 'to detach is no error; the reference takes the exec for failed though it runs on',
    },
  ],
  run: async (engine) => {
    await engine.run('ex');
    const play = async (
      step: string,
      config: JsonRecord,
      options: { stdin?: string; headers?: Record<string, string>; start?: JsonRecord } = {},
    ): Promise<void> => {
      const id = await prepare(engine, config);
      const { stdin, headers = upgrade, start = { Detach: false, Tty: config['Tty'] ?? false } } = options;
      await engine.stream(step, `/exec/${id}/start`, {
        body: start,
        headers,
        ...(stdin !== undefined && { stdin }),
      });
      await ended(engine, id);
      await engine.ask(`${step}, afterwards`, 'GET', `/exec/${id}/json`);
    };
    const speak = ['sh', '-c', 'echo out; echo err >&2; exit 3'];
    await play('both streams', { Cmd: speak, ...both });
    await play('without an upgrade', { Cmd: speak, ...both }, { headers: {} });
    await play('one stream', { Cmd: speak, AttachStderr: true });
    await play('no stream', { Cmd: speak });
    await play('a terminal', { Cmd: ['sh', '-c', 'echo out; tty'], ...both, Tty: true });
    await play('standard input', { Cmd: ['cat'], AttachStdin: true, ...both }, { stdin: 'in and out\n' });
    await play('a program that is missing', { Cmd: ['nosuchprogram'], ...both });
    await play('a program that is a folder', { Cmd: ['/etc'], ...both });
    await play('a folder that is missing', { Cmd: ['true'], WorkingDir: '/no/such', ...both });
    await play('a user', { Cmd: ['sh', '-c', 'id; echo $HOME'], User: 'daemon', ...both });
    await play('variables', { Cmd: ['sh', '-c', 'echo $A $PWD'], Env: ['A=b'], WorkingDir: '/tmp', ...both });
    const detached = await prepare(engine, { Cmd: ['sh', '-c', 'exit 7'] });
    await engine.ask('detached', 'POST', `/exec/${detached}/start`, { body: { Detach: true } });
    await ended(engine, detached);
    await engine.ask('detached, afterwards', 'GET', `/exec/${detached}/json`);
    await engine.ask('once more', 'POST', `/exec/${detached}/start`, { body: { Detach: true } });
    const lost = await prepare(engine, { Cmd: ['nosuchprogram'] });
    await engine.ask('detached and missing', 'POST', `/exec/${lost}/start`, { body: { Detach: true } });
    await engine.ask('no such exec', 'POST', '/exec/nope/start', { body: { Detach: true } });
    await engine.ask('no such exec, with an upgrade', 'POST', '/exec/nope/start', {
      body: { Detach: false },
      headers: upgrade,
    });
    await engine.ask('no body', 'POST', `/exec/${detached}/start`);
    const late = await prepare(engine, { Cmd: ['true'] });
    await engine.quiet('POST', '/containers/ex/pause');
    await engine.ask('a paused container', 'POST', `/exec/${late}/start`, { body: { Detach: true } });
    await engine.quiet('POST', '/containers/ex/unpause');
    await engine.events('events', ['container']);
    await detachFromExec(engine);
    await engine.end('ex');
    await engine.ask('an exited container', 'POST', `/exec/${late}/start`, { body: { Detach: true } });
  },
};

async function detachFromExec(engine: Session): Promise<void> {
  const id = await prepare(engine, { Cmd: ['cat'], AttachStdin: true, ...both, Tty: true });
  const path = `/exec/${id}/start`;
  const stream = await engine.take('POST', path, { body: { Tty: true }, headers: upgrade });
  stream.write('typed\n');
  await stream.until('typed\r\ntyped\r\n');
  stream.write('\x10\x11');
  await engine.taken('detached from by keys', 'POST', path, stream);
  await engine.ask('detached from by keys, afterwards', 'GET', `/exec/${id}/json`);
}

const execResize: Scenario = {
  operation: 'ExecResize',
  run: async (engine) => {
    await engine.run('ex');
    const id = await prepare(engine, { Cmd: ['sleep', '1000'], Tty: true, ...both });
    const at = async (step: string, query: string, exec = id): Promise<unknown> =>
      engine.ask(step, 'POST', `/exec/${exec}/resize${query}`);
    await engine.quiet('POST', `/exec/${id}/start`, { Detach: true, Tty: true });
    await at('a terminal', '?h=20&w=30');
    await at('without a height', '?w=30');
    await at('without a width', '?h=20');
    await at('a height that is no number', '?h=x&w=30');
    await at('a width that is no number', '?h=20&w=x');
    await at('a negative height', '?h=-1&w=30');
    await at('no such exec', '?h=20&w=30', 'nope');
    await engine.events('events', ['container']);
    await engine.end('ex');
  },
};

const execInspect: Scenario = {
  operation: 'ExecInspect',
  run: async (engine) => {
    await engine.run('ex');
    const at = async (step: string, exec: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/exec/${exec}/json`);
    const id = await prepare(engine, { Cmd: ['sh', '-c', 'sleep 1000'], Tty: true, ...both, User: '0:0' });
    await at('created', id);
    await engine.quiet('POST', `/exec/${id}/start`, { Detach: true, Tty: true });
    await at('running', id);
    const over = await prepare(engine, { Cmd: ['false'] });
    await engine.quiet('POST', `/exec/${over}/start`, { Detach: true });
    await ended(engine, over);
    await at('ended', over);
    await at('no such exec', 'nope');
    await at('the beginning of an id', over.slice(0, 12));
    await engine.end('ex');
    await at('of an exited container', id);
  },
};

const update: Scenario = {
  operation: 'ContainerUpdate',
  run: async (engine) => {
    await engine.run('ud');
    const at = async (step: string, body: JsonRecord, name = 'ud'): Promise<void> => {
      await engine.ask(step, 'POST', `/containers/${name}/update`, { body });
      if (name === 'nope') return;
      await engine.ask(`${step}, seen`, 'GET', `/containers/${name}/json`, {
        pick: (found) => {
          const host = (found as JsonRecord)['HostConfig'] as JsonRecord;
          return Object.fromEntries(Object.keys(body).map((key) => [key, host[key]]));
        },
      });
    };
    await at('nothing', {});
    await at('memory', { Memory: 64 << 20, MemorySwap: 128 << 20 });
    await at('memory over its swap', { Memory: 256 << 20 });
    await at('memory and swap without a bound', { Memory: 64 << 20, MemorySwap: -1 });
    await at('too little memory', { Memory: 1000 });
    await at('a reservation', { MemoryReservation: 32 << 20 });
    await at('shares', { CpuShares: 512 });
    await at('a quota', { CpuPeriod: 100_000, CpuQuota: 50_000 });
    await at('processors beside a quota', { NanoCpus: 500_000_000 });
    await at('a quota that is too small', { CpuQuota: 10 });
    await at('a set of processors', { CpusetCpus: '0' });
    await at('a set that is none', { CpusetCpus: '99' });
    await at('a number of processes', { PidsLimit: 50 });
    await at('a weight', { BlkioWeight: 300 });
    await at('a weight that is too small', { BlkioWeight: 5 });
    await at('a restart policy', { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } });
    await at('a restart policy that is none', { RestartPolicy: { Name: 'bad' } });
    await at('a restart policy with a count', { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } });
    await at('no restart', { RestartPolicy: { Name: 'no' } });
    await at('no such container', { Memory: 64 << 20 }, 'nope');
    await engine.ask('no body', 'POST', '/containers/ud/update');
    await engine.create('new');
    await at('a created container', { Memory: 64 << 20, CpuShares: 100 }, 'new');
    await engine.run('auto', { HostConfig: { AutoRemove: true } });
    await at('a restart policy beside removal', { RestartPolicy: { Name: 'always' } }, 'auto');
    await engine.end('ud');
    await at('an exited container', { CpuShares: 100 });
    await engine.events('events', ['container']);
  },
};

/** The shape of a value: numbers that are measured become the name of their type. */
function shapeOf(value: unknown): unknown {
  if (typeof value === 'number') return 'number';
  // Devices appear with the first that is read or written.
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

const stats: Scenario = {
  operation: 'ContainerStats',
  run: async (engine) => {
    const at = async (step: string, name: string, query: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/${name}/stats${query}`, { pick: shapeOf });
    await engine.run('ss');
    await at('one sample', 'ss', '?stream=0');
    if (engine.atLeast('1.41')) await at('one shot', 'ss', '?stream=0&one-shot=1');
    if (engine.atLeast('1.41')) await at('one shot beside a stream', 'ss', '?stream=1&one-shot=1');
    await at('no such container', 'nope', '?stream=0');
    await engine.create('new');
    await at('a created container', 'new', '?stream=0');
    await engine.run('none', { HostConfig: { NetworkMode: 'none' } });
    await at('without a network', 'none', '?stream=0&one-shot=1');
    await engine.end('none');
    await engine.end('ss');
    await at('an exited container', 'ss', '?stream=false');
  },
};

/** Processes in containers, and what they may use. */
export const processScenarios: readonly Scenario[] = [
  top,
  stats,
  update,
  execCreate,
  execStart,
  execResize,
  execInspect,
];
