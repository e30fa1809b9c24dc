/**
 * Each operation of containers, execs and images answers as the reference engine did when the golden files were recorded:
 * status, headers, body and events, in four versions of the API. `npm run parity` asks both engines anew.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { undocumented } from '../parity/documented.ts';
import { readGolden } from '../parity/golden.ts';
import { loadImages } from '../parity/images.ts';
import { compareTranscripts, describe, play } from '../parity/replay.ts';
import { scenarios } from '../parity/scenarios/index.ts';
import { Session, type JsonRecord } from '../parity/session.ts';
import { eventually, startDaemon, startRegistry, type Daemon, type Registry } from '../setup/index.ts';

/** Of all answers. */
const mayDiffer = 0.05;

let daemon: Daemon;
let registry: Registry;
const sums = { answers: 0, differing: 0 };

before(async () => {
  registry = await startRegistry();
  daemon = await startDaemon();
  await loadImages(daemon.socket);
});

after(async () => {
  await daemon[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

for (const scenario of scenarios) {
  test(`${scenario.operation} answers as the reference engine does`, async () => {
    const reference = readGolden(scenario.operation);
    const comparison = compareTranscripts(
      scenario,
      reference,
      await play(scenario, daemon.socket, registry.address),
    );
    sums.answers += comparison.answers;
    sums.differing += comparison.differing.length;
    const unexplained = comparison.differing.filter((one) => one.unexplained.length > 0);
    assert.equal(unexplained.length, 0, `\n${describe({ ...comparison, differing: unexplained })}`);
  });
}

/** What later versions than the reference's have: by their specification. */
test('answers of the newest version are as they are documented', async () => {
  const session = new Session(daemon.socket, '');
  try {
    await session.quiet('POST', '/networks/create', { Name: 'newest' });
    await session.run('newest', {
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Test: ['CMD', 'true'] },
      HostConfig: {
        NetworkMode: 'newest',
        Binds: ['newest:/data'],
        Memory: 64 << 20,
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      },
    });
    const seen = await session.quiet('GET', '/containers/newest/json?size=1');
    const inspected = Object.fromEntries(Object.entries(seen).filter(([name]) => name !== 'Wharf'));
    assert.deepEqual(undocumented('ContainerInspectResponse', inspected), []);
    const listed = JSON.parse((await daemon.get('/containers/json?size=1')).body) as readonly JsonRecord[];
    assert.equal(listed.length, 1);
    for (const one of listed) {
      assert.deepEqual(undocumented('ContainerSummary', one), []);
      // Since 1.52.
      assert.deepEqual(Object.keys(one['Health'] as object).sort(), ['FailingStreak', 'Status']);
    }
    // Gone since 1.52, but there for older clients.
    const settings = inspected['NetworkSettings'] as JsonRecord;
    assert.deepEqual(Object.keys(settings).sort(), ['Networks', 'Ports', 'SandboxID', 'SandboxKey']);
    await session.quiet('POST', '/containers/newest/rename?name=renamed');
    const exec = await session.quiet('POST', '/containers/renamed/exec', { Cmd: ['touch', '/new'] });
    const execId = String(exec['Id']);
    await session.quiet('POST', `/exec/${execId}/start`, { Detach: true });
    const changes = async (): Promise<JsonRecord> => session.quiet('GET', '/containers/renamed/changes');
    await eventually(async () => Array.isArray(await changes()));
    const answers: Readonly<Record<string, unknown>> = {
      IdResponse: exec,
      ContainerTopResponse: await session.quiet('GET', '/containers/renamed/top'),
      ContainerStatsResponse: await session.quiet('GET', '/containers/renamed/stats?stream=0'),
      ExecInspectResponse: await session.quiet('GET', `/exec/${execId}/json`),
      FilesystemChange: ((await changes()) as unknown as readonly unknown[])[0],
      ContainerUpdateResponse: await session.quiet('POST', '/containers/renamed/update', { CpuShares: 512 }),
      ContainerCreateResponse: await session.quiet('POST', '/containers/create?name=spare', {
        Image: inspected['Image'],
      }),
      ContainerWaitResponse: await session.quiet('POST', '/containers/spare/wait'),
      ContainerPruneResponse: await session.quiet('POST', '/containers/prune'),
    };
    for (const [model, answer] of Object.entries(answers)) {
      assert.ok(Object.keys(answer as object).length > 0, model);
      assert.deepEqual(undocumented(model, answer), []);
    }
  } finally {
    await session.cleanUp();
  }
});

test('there is a scenario for each of the 43 operations, and one for pulls', () => {
  assert.equal(new Set(scenarios.map(({ operation }) => operation)).size, 44);
});

test('at most one answer in twenty differs, with its cause', () => {
  const share = sums.differing / sums.answers;
  assert.ok(share <= mayDiffer, `${sums.differing} of ${sums.answers} answers differ`);
});
