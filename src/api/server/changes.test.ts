import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges } from './changes.ts';

test('applyChanges() applies instructions in order', () => {
  assert.deepEqual(
    applyChanges({ Env: ['A=1', 'B=2'], Labels: { x: 'y' } }, [
      'CMD ["a", "b"]',
      'ENTRYPOINT run me',
      'env A=3 C="x y"\nENV D four five',
      'LABEL k=v',
      'EXPOSE 80 53/UDP',
      'VOLUME ["/data"]',
      'VOLUME /a /b',
      'USER 1000:1000',
      'WORKDIR /srv',
      'WORKDIR app',
      'STOPSIGNAL SIGINT',
      'ONBUILD RUN true',
      'HEALTHCHECK --interval=5s --retries=3 CMD curl localhost',
    ]),
    {
      Env: ['B=2', 'A=3', 'C=x y', 'D=four five'],
      Labels: { x: 'y', k: 'v' },
      Cmd: ['a', 'b'],
      Entrypoint: ['/bin/sh', '-c', 'run me'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {}, '/a': {}, '/b': {} },
      User: '1000:1000',
      WorkingDir: '/srv/app',
      StopSignal: 'SIGINT',
      OnBuild: ['RUN true'],
      Healthcheck: { Test: ['CMD-SHELL', 'curl localhost'], Interval: 5_000_000_000, Retries: 3 },
    },
  );
});

for (const [instruction, message] of [
  ['RUN true', 'RUN is not a valid change command'],
  ['constructor x', 'CONSTRUCTOR is not a valid change command'],
  ['CMD', 'CMD requires at least one argument'],
  ['ENV A', 'ENV must have two arguments'],
] as const) {
  test(`applyChanges() refuses ${instruction}`, () => {
    assert.throws(() => applyChanges({}, [instruction]), { kind: 'invalidArgument', message });
  });
}
