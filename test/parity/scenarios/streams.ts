import { faultsOfClients } from '../causes.ts';
import { joinWebSocketFrames, webSocketFrame } from '../body.ts';
import type { Scenario } from '../scenario.ts';
import type { Session } from '../session.ts';
import { upgrade } from '../wire.ts';

const logs: Scenario = {
  operation: 'ContainerLogs',
  differences: [...faultsOfClients('a time that is none', 'an end that is none')],
  run: async (engine) => {
    const at = async (step: string, query: string, name = 'lg'): Promise<unknown> =>
      engine.ask(step, 'GET', `/containers/${name}/logs${query}`);
    await engine.ran('lg', [
      'sh',
      '-c',
      'for i in 1 2 3 4; do echo out $i; sleep 0.03; echo err $i >&2; sleep 0.03; done; printf end',
    ]);
    await at('both streams', '?stdout=1&stderr=1');
    await at('standard output', '?stdout=1');
    await at('standard error', '?stderr=true');
    await at('no stream', '');
    await at('streams that are switched off', '?stdout=0&stderr=false');
    await at('with times', '?stdout=1&timestamps=1');
    await at('the last two', '?stdout=1&tail=2');
    await at('all of them', '?stdout=1&tail=all');
    await at('none of them', '?stdout=1&tail=0');
    await at('a number that is none', '?stdout=1&tail=x');
    await at('a negative number', '?stdout=1&tail=-1');
    await at('since long ago', '?stdout=1&since=1');
    await at('since a time to come', '?stdout=1&since=9999999999');
    await at('until long ago', '?stdout=1&until=1');
    await at('until a time to come', '?stdout=1&until=9999999999');
    await at('a time that is none', '?stdout=1&since=soon');
    await at('an end that is none', '?stdout=1&until=soon');
    await at('to the end of an exited container', '?stdout=1&stderr=1&follow=1');
    await at('with details', '?stdout=1&details=1&tail=1');
    await at('no such container', '?stdout=1', 'nope');
    await at('no such container and no stream', '', 'nope');
    await engine.create('empty');
    await at('a created container', '?stdout=1&stderr=1', 'empty');
    const config = { labels: 'team', env: 'STAGE' };
    await engine.ran('dt', ['echo', 'detailed'], {
      Env: ['STAGE=test'],
      Labels: { team: 'a b', other: 'c' },
      HostConfig: { LogConfig: { Type: 'json-file', Config: config } },
    });
    await at('with details that it has', '?stdout=1&details=1', 'dt');
    await at('with details and times', '?stdout=1&details=1&timestamps=1', 'dt');
    await engine.ran('tty', ['echo', 'raw'], { Tty: true });
    await at('a terminal', '?stdout=1', 'tty');
    await at('a terminal with times', '?stdout=1&timestamps=1', 'tty');
    await engine.ran('none', ['echo', 'lost'], { HostConfig: { LogConfig: { Type: 'none', Config: {} } } });
    await at('a driver that keeps nothing', '?stdout=1', 'none');
    await engine.ran('local', ['echo', 'kept'], { HostConfig: { LogConfig: { Type: 'local', Config: {} } } });
    await at('the driver local', '?stdout=1', 'local');
    await engine.run('fo', { Cmd: ['sh', '-c', 'echo before; sleep 0.5; echo after; exit 1'] });
    await at('following until the end', '?stdout=1&follow=1', 'fo');
    await engine.ran('long', ['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo short']);
    await at('a line of 40,000 characters', '?stdout=1', 'long');
    await at('of which the last record', '?stdout=1&tail=1', 'long');
  },
};

const attach: Scenario = {
  operation: 'ContainerAttach',
  differences: [
    {
      step: 'events of terminals',
      path: 'body*',
      cause: 'the reference tells of attachments and detachments late, in one order or another',
    },
  ],
  run: async (engine) => {
    const path = (query: string, name: string): string => `/containers/${name}/attach${query}`;
    const all = '?stream=1&stdin=1&stdout=1&stderr=1';
    await engine.ran('old', ['sh', '-c', 'echo out; echo err >&2']);
    await engine.stream('logs of an exited container', path('?logs=1&stdout=1&stderr=1', 'old'), {
      headers: upgrade,
    });
    await engine.stream('one of its streams', path('?logs=1&stderr=1', 'old'), { headers: upgrade });
    await engine.stream('neither logs nor stream', path('?stdout=1', 'old'), { headers: upgrade });
    await engine.stream('without an upgrade', path('?logs=1&stdout=1', 'old'));
    await engine.stream('without a version', path('?logs=1&stdout=1', 'old'), {
      headers: upgrade,
      version: '',
    });
    for (const [step, headers] of [
      ['before the start', upgrade],
      ['before the start, without an upgrade', {}],
    ] as const) {
      const name = step.includes('without') ? 'at2' : 'at1';
      await engine.create(name, { Cmd: ['sh', '-c', 'echo first; echo second >&2'] });
      const stream = await engine.take('POST', path('?stream=1&stdout=1&stderr=1', name), { headers });
      await engine.quiet('POST', `/containers/${name}/start`);
      await engine.taken(step, 'POST', path('?stream=1&stdout=1&stderr=1', name), stream);
      await engine.died(name);
    }
    await engine.create('cat', { Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true });
    const cat = await engine.take('POST', path(all, 'cat'), { headers: upgrade });
    cat.write('through cat\n');
    cat.end();
    await engine.quiet('POST', '/containers/cat/start');
    await engine.taken('standard input to its end', 'POST', path(all, 'cat'), cat);
    await engine.died('cat');
    await terminals(engine, path, all);
    await engine.ask('no such container', 'POST', path(all, 'nope'), { headers: upgrade });
    await engine.ask('no such container, without an upgrade', 'POST', path(all, 'nope'));
    await engine.run('pz');
    await engine.ask('bad detach keys', 'POST', path(`${all}&detachKeys=ctrl-1x`, 'pz'));
    await engine.quiet('POST', '/containers/pz/pause');
    await engine.ask('a paused container', 'POST', path(all, 'pz'));
    await engine.ask('a paused container, with an upgrade', 'POST', path(all, 'pz'), { headers: upgrade });
    await engine.quiet('POST', '/containers/pz/unpause');
    await engine.end('pz');
  },
};

async function terminals(
  engine: Session,
  path: (query: string, name: string) => string,
  all: string,
): Promise<void> {
  await engine.create('tt', { Cmd: ['cat'], OpenStdin: true, Tty: true });
  const first = await engine.take('POST', path(all, 'tt'), { headers: upgrade });
  await engine.quiet('POST', '/containers/tt/start');
  first.write('typed\n');
  await first.until('typed\r\ntyped\r\n');
  first.write('\x10\x11');
  await engine.taken('a terminal, and detached from it', 'POST', path(all, 'tt'), first);
  const keys = `${all}&detachKeys=ctrl-a,x`;
  const second = await engine.take('POST', path(keys, 'tt'), { headers: upgrade });
  second.write('more\n');
  await second.until('more\r\nmore\r\n');
  second.write('\x01x');
  await engine.taken('detached by other keys', 'POST', path(keys, 'tt'), second);
  await engine.stream('what it has said', path('?logs=1&stdout=1', 'tt'), { headers: upgrade });
  await engine.events('events of terminals', ['container']);
}

const webSocket: Scenario = {
  operation: 'ContainerAttachWebsocket',
  run: async (engine) => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      Origin: 'http://localhost',
    };
    const path = (query: string, name: string): string => `/containers/${name}/attach/ws${query}`;
    const play = async (step: string, name: string, query: string, stdin?: string): Promise<void> => {
      const stream = await engine.take('GET', path(query, name), { headers });
      await engine.quiet('POST', `/containers/${name}/start`);
      if (stdin !== undefined) stream.write(webSocketFrame(1, stdin));
      const pick = (): unknown => joinWebSocketFrames(stream.received);
      await engine.taken(step, 'GET', path(query, name), stream, pick);
    };
    await engine.create('ws1', { Cmd: ['sh', '-c', 'echo out'] });
    await play('output', 'ws1', '?stream=1&stdout=1&stderr=1');
    await engine.create('ws2', { Cmd: ['sh', '-c', 'read line; echo got $line'], OpenStdin: true });
    await play('input', 'ws2', '?stream=1&stdin=1&stdout=1&stderr=1', 'hello\n');
    await engine.ran('ws3', ['echo', 'said']);
    await engine.ask('no such container', 'GET', path('?stream=1', 'nope'), { headers });
    await engine.ask('bad detach keys', 'GET', path('?stream=1&detachKeys=ctrl-1x', 'ws3'), { headers });
  },
};

/** What a container says. */
export const streamScenarios: readonly Scenario[] = [logs, attach, webSocket];
