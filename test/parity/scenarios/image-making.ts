import { makeTar } from '../../setup/index.ts';
import type { Scenario } from '../scenario.ts';

const tarHeaders = { 'Content-Type': 'application/x-tar' };

const commit: Scenario = {
  operation: 'ImageCommit',
  run: async (engine) => {
    await engine.ran('source', ['sh', '-c', 'echo new > /new'], {
      Env: ['A=b'],
      Labels: { parity: 'commit' },
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
    });
    const at = async (step: string, query: string, body?: unknown): Promise<void> => {
      const { Id } = await engine.json(step, 'POST', `/commit?${query}`, body === undefined ? {} : { body });
      if (typeof Id !== 'string') return;
      engine.name(Id.slice(7), 'image');
      await engine.ask(`${step}, seen`, 'GET', `/images/${Id}/json`);
    };
    await at('without a name', 'container=source');
    await at('with a name', 'container=source&repo=made&tag=1');
    await at('with words', 'container=source&repo=made&comment=why&author=me');
    await at(
      'with changes',
      `container=source&repo=made&changes=${encodeURIComponent('CMD ["x"]\nENV C=d')}`,
    );
    await at('with a configuration', 'container=source&repo=made', {
      Cmd: ['y'],
      Env: ['A=c', 'E=f'],
      Labels: { more: '1' },
      ExposedPorts: { '81/tcp': {} },
      User: 'nobody',
    });
    await engine.ask('its history', 'GET', '/images/made/history');
    await at('a container that is missing', 'container=nope');
    await at('no container', '');
    await at('a name that is none', 'container=source&repo=Made');
    await at('a tag that is none', 'container=source&repo=made&tag=a/b');
    await at('a change that is none', `container=source&changes=${encodeURIComponent('RUN true')}`);
    await engine.run('up', { Labels: { parity: 'up' } });
    await at('a running container', 'container=up&repo=up');
    await at('a running container without a pause', 'container=up&repo=up&pause=0');
    await engine.end('up');
    await engine.events('events', ['image', 'container']);
  },
};

const importChanges = [
  'CMD ["a","b"]',
  'ENTRYPOINT ["c"]',
  'ENV X=y Z="1 2"',
  'EXPOSE 80 53/udp',
  'VOLUME /data',
  'WORKDIR /w',
  'USER 1:2',
  'LABEL a=b c=d',
  'ONBUILD RUN true',
  'STOPSIGNAL SIGQUIT',
  'HEALTHCHECK --interval=5s CMD true',
];

const create: Scenario = {
  operation: 'ImageCreate',
  run: async (engine) => {
    const tar = makeTar([
      { name: 'etc/', folder: true },
      { name: 'etc/file', content: 'imported\n' },
    ]);
    const at = async (step: string, query: string, body: Uint8Array = tar): Promise<void> => {
      await engine.ask(step, 'POST', `/images/create?fromSrc=-${query}`, { body, headers: tarHeaders });
    };
    await at('a name', '&repo=imported');
    await engine.ask('what came of it', 'GET', '/images/imported/json');
    await at('a name and a tag', '&repo=imported&tag=2');
    await at('no name', '');
    await at('with a message', '&repo=imported&message=why');
    await engine.ask('its history', 'GET', '/images/imported/history');
    await at(
      'with changes',
      `&repo=changed${importChanges.map((one) => `&changes=${encodeURIComponent(one)}`).join('')}`,
    );
    await engine.ask('what the changes made', 'GET', '/images/changed/json');
    await at('for a platform', '&repo=arm&platform=linux/arm64/v8');
    await engine.ask('what the platform made', 'GET', '/images/arm/json');
    await at('a platform that is none', '&repo=x&platform=a/b/c/d');
    await at('a change that is none', `&repo=x&changes=${encodeURIComponent('RUN true')}`);
    await at('a change that is refused', `&repo=x&changes=${encodeURIComponent('SHELL ["/bin/x"]')}`);
    await at('a change that is broken', `&repo=x&changes=${encodeURIComponent('NOPE')}`);
    await at('a name that is none', '&repo=Imported');
    await at('nothing', '&repo=empty', new Uint8Array());
    const pull = async (step: string, query: string): Promise<unknown> =>
      engine.ask(step, 'POST', `/images/create?${query}`);
    await pull('a name that cannot be pulled', 'fromImage=Nope');
    await pull('a tag that is none', 'fromImage=nope&tag=a/b');
    // Before 1.32 it would be ignored.
    if (engine.atLeast('1.32')) {
      await pull('a platform that cannot be pulled', 'fromImage=nope&tag=1&platform=a/b/c/d');
    }
    await engine.events('events', ['image']);
  },
};

/** Images made of containers and of archives of files. */
export const imageMakingScenarios: readonly Scenario[] = [commit, create];
