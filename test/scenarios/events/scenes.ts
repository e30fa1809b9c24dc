import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Engine, EventLog } from './engine.ts';

/** Something done to an engine whose events are compared, by name. */
export interface Scene {
  readonly name: string;
  run(engine: Engine, log: EventLog): Promise<unknown>;
}

const sleeper = { Cmd: ['sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.05; done'] };
const deaf = { Cmd: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'] };
/** An empty tar. */
const emptyTar = '\0'.repeat(1024);

async function started(engine: Engine, name: string, config: object): Promise<void> {
  await engine.create(name, config);
  await engine.call('POST', `/containers/${name}/start`);
}

async function ran(engine: Engine, name: string, config: object, condition = 'next-exit'): Promise<number> {
  await engine.create(name, config);
  const { ended } = await engine.wait(name, condition);
  await engine.call('POST', `/containers/${name}/start`, undefined, true);
  return ended;
}

const remove = (engine: Engine, name: string): Promise<string> =>
  engine.call('DELETE', `/containers/${name}?force=1&v=1`);

/** Does something to a running container, then removes it. */
const onRunning = (
  name: string,
  act: (engine: Engine, name: string, log: EventLog) => Promise<unknown>,
  config: object = sleeper,
): Scene => ({
  name,
  run: async (engine, log) => {
    const container = `evt-${name.replaceAll(/\W+/g, '-')}`;
    await started(engine, container, config);
    await act(engine, container, log);
    await remove(engine, container);
  },
});

const post =
  (verb: string): ((engine: Engine, name: string) => Promise<unknown>) =>
  (engine, name) =>
    engine.call('POST', `/containers/${name}/${verb}`);

async function exec(engine: Engine, name: string, config: object, detach: boolean): Promise<string> {
  const created = await engine.call('POST', `/containers/${name}/exec`, config);
  const { Id } = JSON.parse(created) as { Id: string };
  if (detach) await engine.call('POST', `/exec/${Id}/start`, { Detach: true });
  else await text(await engine.hijack(`/exec/${Id}/start`, { Detach: false }));
  return Id;
}

const runs: readonly Scene[] = [
  {
    name: 'run',
    run: async (engine) => {
      await engine.create('evt-run', { Cmd: ['true'], Labels: { colour: 'blue' } });
      const streams = await engine.hijack('/containers/evt-run/attach?stream=1&stdout=1&stderr=1');
      const { ended } = await engine.wait('evt-run', 'next-exit');
      await engine.call('POST', '/containers/evt-run/start');
      await ended;
      if (!streams.readableEnded) await once(streams, 'close');
      await remove(engine, 'evt-run');
    },
  },
  {
    name: 'run --rm',
    run: (engine) =>
      ran(engine, 'evt-rm', { Cmd: ['sh', '-c', 'exit 3'], HostConfig: { AutoRemove: true } }, 'removed'),
  },
  {
    name: 'run --rm of a missing program',
    run: (engine) =>
      ran(engine, 'evt-missing', { Cmd: ['/absent'], HostConfig: { AutoRemove: true } }, 'removed'),
  },
  {
    name: 'run of a missing program',
    run: async (engine) => {
      await engine.create('evt-absent', { Cmd: ['/absent'] });
      await engine.call('POST', '/containers/evt-absent/start', undefined, true);
      await remove(engine, 'evt-absent');
    },
  },
  {
    name: 'run --network none',
    run: async (engine) => {
      await ran(engine, 'evt-none', { Cmd: ['true'], HostConfig: { NetworkMode: 'none' } });
      await remove(engine, 'evt-none');
    },
  },
  {
    name: 'out of memory',
    run: async (engine) => {
      const Cmd = ['sh', '-c', 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'];
      await ran(engine, 'evt-oom', { Cmd, HostConfig: { Memory: 16 << 20, MemorySwap: 16 << 20 } });
      await remove(engine, 'evt-oom');
    },
  },
  {
    name: 'restart on-failure:2',
    run: async (engine, log) => {
      const RestartPolicy = { Name: 'on-failure', MaximumRetryCount: 2 };
      await started(engine, 'evt-retry', { Cmd: ['sh', '-c', 'exit 4'], HostConfig: { RestartPolicy } });
      let dead = 0;
      for (let exits = 0; exits < 3; exits += 1)
        dead = await log.until(({ Action }) => Action === 'die', dead);
      await remove(engine, 'evt-retry');
    },
  },
  {
    name: 'health',
    run: async (engine, log) => {
      const Healthcheck = {
        Test: ['CMD-SHELL', 'test -e /well'],
        Interval: 200_000_000,
        Timeout: 2_000_000_000,
        Retries: 2,
      };
      await started(engine, 'evt-health', { ...sleeper, Healthcheck });
      await log.until(({ Action }) => Action === 'health_status: unhealthy');
      await exec(engine, 'evt-health', { Cmd: ['touch', '/well'] }, true);
      await log.until(({ Action }) => Action === 'health_status: healthy');
      await remove(engine, 'evt-health');
    },
  },
];

const verbs: readonly Scene[] = [
  onRunning('stop', post('stop')),
  // Who can end by itself may do so before the kill.
  onRunning('stop -t 0', post('stop?t=0'), deaf),
  onRunning('stop of a deaf program', post('stop?t=1'), deaf),
  onRunning('stop -s USR1', post('stop?signal=USR1&t=1')),
  onRunning('stop of a paused container', async (engine, name) => {
    await post('pause')(engine, name);
    await post('stop')(engine, name);
  }),
  onRunning('kill', async (engine, name) => {
    const { ended } = await engine.wait(name, 'not-running');
    await post('kill')(engine, name);
    await ended;
  }),
  onRunning('kill -s WINCH', post('kill?signal=WINCH')),
  onRunning('restart', post('restart')),
  onRunning('pause and unpause', async (engine, name) => {
    await post('pause')(engine, name);
    await post('unpause')(engine, name);
  }),
  onRunning('rename', async (engine, name) => {
    await post(`rename?name=${name}-new`)(engine, name);
    await post(`rename?name=${name}`)(engine, `${name}-new`);
  }),
  onRunning('update', (engine, name) =>
    engine.call('POST', `/containers/${name}/update`, { RestartPolicy: { Name: 'unless-stopped' } }),
  ),
  onRunning('resize', post('resize?h=40&w=100'), { ...sleeper, Tty: true }),
  onRunning('top', (engine, name) => engine.call('GET', `/containers/${name}/top`)),
  onRunning('logs, changes, inspect', async (engine, name) => {
    await engine.call('GET', `/containers/${name}/logs?stdout=1`);
    await engine.call('GET', `/containers/${name}/changes`);
    await engine.call('GET', `/containers/${name}/json`);
  }),
  onRunning('export', (engine, name) => engine.call('GET', `/containers/${name}/export`)),
  onRunning('copy', async (engine, name) => {
    await engine.call('HEAD', `/containers/${name}/archive?path=/etc`);
    await engine.call('GET', `/containers/${name}/archive?path=/etc`);
    await engine.call('PUT', `/containers/${name}/archive?path=/tmp`, emptyTar);
  }),
  onRunning('commit', async (engine, name) => {
    await engine.call('POST', `/commit?container=${name}&repo=evt-committed&tag=1&comment=hello`);
    await engine.call('DELETE', '/images/evt-committed:1');
  }),
  onRunning('exec', (engine, name) =>
    exec(engine, name, { Cmd: ['sh', '-c', 'exit 5'], AttachStdout: true }, false),
  ),
  onRunning('exec detached', async (engine, name, log) => {
    await exec(engine, name, { Cmd: ['echo', 'a b'] }, true);
    await log.until(({ Action }) => Action === 'exec_die');
  }),
  onRunning('exec of a missing program', async (engine, name) => {
    const created = await engine.call('POST', `/containers/${name}/exec`, { Cmd: ['absent'] });
    const { Id } = JSON.parse(created) as { Id: string };
    await engine.call('POST', `/exec/${Id}/start`, { Detach: true }, true);
  }),
  onRunning('exec resize', async (engine, name, log) => {
    const config = { Cmd: ['sleep', '1'], Tty: true };
    const id = await exec(engine, name, config, true);
    await engine.call('POST', `/exec/${id}/resize?h=30&w=90`);
    await log.until(({ Action }) => Action === 'exec_die');
  }),
  onRunning(
    'attach and detach',
    async (engine, name, log) => {
      const streams = await engine.hijack(`/containers/${name}/attach?stream=1&stdin=1&stdout=1`);
      streams.write(Buffer.from([16, 17]));
      await log.until(({ Action }) => Action === 'detach');
    },
    { ...sleeper, Tty: true, OpenStdin: true },
  ),
  onRunning('attach that goes away', async (engine, name, log) => {
    const streams = await engine.hijack(`/containers/${name}/attach?stream=1&stdout=1`);
    await log.until(({ Action }) => Action === 'attach');
    streams.destroy();
  }),
];

const others: readonly Scene[] = [
  {
    name: 'networks',
    run: async (engine) => {
      await engine.call('POST', '/networks/create', { Name: 'evt-net', Driver: 'bridge' });
      await started(engine, 'evt-netted', sleeper);
      await engine.call('POST', '/networks/evt-net/connect', { Container: 'evt-netted' });
      await engine.call('POST', '/networks/evt-net/disconnect', { Container: 'evt-netted' });
      await remove(engine, 'evt-netted');
      await started(engine, 'evt-there', { ...sleeper, HostConfig: { NetworkMode: 'evt-net' } });
      await remove(engine, 'evt-there');
      await engine.call('DELETE', '/networks/evt-net');
    },
  },
  {
    name: 'connect of a stopped container',
    run: async (engine) => {
      await engine.call('POST', '/networks/create', { Name: 'evt-net2', Driver: 'bridge' });
      await engine.create('evt-down', { Cmd: ['true'] });
      await engine.call('POST', '/networks/evt-net2/connect', { Container: 'evt-down' });
      await engine.call('POST', '/networks/evt-net2/disconnect', { Container: 'evt-down' });
      await remove(engine, 'evt-down');
      await engine.call('POST', '/networks/prune');
    },
  },
  {
    name: 'volumes',
    run: async (engine) => {
      await engine.call('POST', '/volumes/create', { Name: 'evt-volume' });
      const HostConfig = { Binds: ['evt-volume:/data', '/tmp:/host:ro'] };
      await ran(engine, 'evt-mounts', { Cmd: ['true'], HostConfig });
      await remove(engine, 'evt-mounts');
      await engine.call('DELETE', '/volumes/evt-volume');
    },
  },
  {
    name: 'anonymous volume',
    run: (engine) =>
      ran(
        engine,
        'evt-anonymous',
        { Cmd: ['true'], Volumes: { '/data': {} }, HostConfig: { AutoRemove: true } },
        'removed',
      ),
  },
  {
    name: 'prunes',
    run: async (engine) => {
      await ran(engine, 'evt-done', { Cmd: ['true'] });
      await engine.call('POST', '/containers/prune');
      await engine.call('POST', '/volumes/create', {});
      await engine.call('POST', '/volumes/prune');
      await engine.call('POST', '/images/prune');
      await engine.call('POST', '/networks/prune');
    },
  },
  {
    name: 'images',
    run: async (engine) => {
      await engine.call('POST', '/images/busybox/tag?repo=evt-image&tag=1');
      await engine.call('POST', '/images/busybox/tag?repo=evt-image&tag=1');
      await engine.call('GET', '/images/evt-image:1/get');
      await engine.call('DELETE', '/images/evt-image:1');
      await engine.call('POST', '/images/create?fromSrc=-&repo=evt-imported&tag=1', emptyTar);
      await engine.call('DELETE', '/images/evt-imported:1');
    },
  },
];

export const scenes: readonly Scene[] = [...runs, ...verbs, ...others];
