import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { eventually, freePort, startDaemon, wharfProgram } from '../../setup/index.ts';
import { assertTidy } from './disk.ts';
import { exported, Interrupted, listed } from './engine.ts';
import { dangling, emptyState, listing, named, parents, trees, without, type State } from './model.ts';
import { kinds, stepOf, type Bench, type Operation, type Step } from './operations.ts';

/** How many rounds, each with a daemon of its own; many for a long run. */
const rounds = Number(process.env['WHARF_STORE_ROUNDS'] ?? 1);
const length = Number(process.env['WHARF_STORE_LENGTH'] ?? 45);
const seed = Number(process.env['WHARF_STORE_SEED'] ?? Date.now() % 1_000_000);

/** An operation; after `kill` milliseconds the daemon is killed under it, if there is a number. */
interface Command extends Operation {
  readonly kill: number | undefined;
}

const command: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom(...kinds),
  dice: fc.tuple(fc.nat(997), fc.nat(997), fc.nat(997)),
  kill: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 120 }) },
  ),
});

async function startOwnRegistry(): Promise<AsyncDisposable & { readonly address: string }> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['registry', 'serve', '--root', root, '--listen', address];
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  await eventually(async () => (await fetch(`http://${address}/v2/`).catch(() => undefined))?.ok);
  return {
    address,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await ended;
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The id that a name of the registry leads to. */
async function registryId(name: string): Promise<string | undefined> {
  const [, host = '', repository = '', tag = ''] = /^([^/]+)\/(.*):([^:]+)$/.exec(name) ?? [];
  const accept =
    'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
  const url = `http://${host}/v2/${repository}/manifests/${tag}`;
  const answer = await fetch(url, { headers: { accept } });
  if (answer.status === 404) return undefined;
  assert.equal(answer.status, 200, `${url}: ${answer.status}`);
  return ((await answer.json()) as { config: { digest: string } }).config.digest;
}

const shown = (state: State): string =>
  JSON.stringify([...listing(state)].sort(([one], [two]) => one.localeCompare(two)));

/** The state in which an interrupted step has left the engine; it must be one that the step may lead to. */
async function stateAfter(bench: Bench, step: Step, what: string): Promise<State> {
  const found = await listed(bench.daemon);
  const candidates = [bench.state, ...step.states];
  if (step.fresh) {
    const { name, tree, parent } = step.fresh;
    const [id, ...more] = [...found.keys()].filter((each) => !bench.state.images.has(each));
    assert.deepEqual(more, [], `${what}: more than one image came`);
    if (id !== undefined) {
      trees.set(id, tree);
      if (parent !== undefined) parents.set(id, parent);
      candidates.push(named(bench.state, name, id));
    }
  }
  for (const state of [...candidates]) {
    const lost = (step.mayLose ?? []).filter((id) => !found.has(id));
    candidates.push(without(state, lost));
  }
  const isSame = (state: State): boolean =>
    shown(state) === JSON.stringify([...found].sort(([one], [two]) => one.localeCompare(two)));
  const state = candidates.find(isSame);
  assert.ok(
    state,
    `${what} was interrupted\nfound ${JSON.stringify([...found])}\nknown ${candidates.map(shown).join('\n')}`,
  );
  const registry = new Map<string, string>();
  for (const name of new Set(candidates.flatMap((each) => [...each.registry.keys()]))) {
    const id = await registryId(name);
    const known = candidates.map((each) => each.registry.get(name));
    assert.ok(known.includes(id), `${name} in the registry is ${id}`);
    if (id !== undefined) registry.set(name, id);
  }
  return { ...state, registry };
}

async function assertEqual({ daemon, state }: Bench, what: string): Promise<void> {
  assert.deepEqual(await listed(daemon), listing(state), what);
  for (const [name, id] of state.registry)
    assert.equal(await registryId(name), id, `${name} in the registry`);
}

async function assertTrees({ daemon, state }: Bench, ids: Iterable<string>): Promise<void> {
  for (const id of ids) {
    assert.ok(state.images.has(id));
    assert.deepEqual(await exported(daemon, id), trees.get(id), `tree of ${id}`);
  }
}

async function perform(bench: Bench, each: Command): Promise<void> {
  const step = stepOf(bench, each);
  if (!step) return;
  const what = `${each.kind} ${each.dice.join(' ')}`;
  const running = step.run().catch((error: unknown) => {
    if (each.kill !== undefined && error instanceof Interrupted) return undefined;
    throw error;
  });
  if (each.kill === undefined) {
    bench.state = (await running) ?? assert.fail();
    await assertEqual(bench, what);
    return;
  }
  // What fails meanwhile is told below.
  running.catch(() => undefined);
  await delay(each.kill);
  await bench.daemon.kill9();
  const after = await running;
  await bench.daemon.start();
  await bench.daemon.removeContainers();
  if (after) {
    bench.state = after;
    await assertEqual(bench, `${what}, answered before the daemon was killed`);
  } else bench.state = await stateAfter(bench, step, what);
  await eventually(() => (assertTidy(bench.daemon.dataRoot), true), {
    timeout: 5000,
    what: `tidy after ${what}`,
  });
  await assertTrees(bench, [...bench.state.images].slice(0, 2));
}

test(`the store equals the model, whatever is done and whenever the daemon is killed (seed ${seed})`, async () => {
  await using registry = await startOwnRegistry();
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: length, maxLength: length }), async (commands) => {
      round += 1;
      await using daemon = await startDaemon({ flags: ['--insecure-registry', registry.address] });
      const before = new Map<string, string>();
      for (const repository of ['app', 'team/app']) {
        for (const tag of ['v1', 'v2']) {
          const name = `${registry.address}/${repository}:${tag}`;
          const id = await registryId(name);
          // Its tree is known from the round that pushed it.
          if (id !== undefined) before.set(name, id);
        }
      }
      const bench: Bench = {
        daemon,
        registry: registry.address,
        state: { ...emptyState, registry: before },
        saved: [],
      };
      for (const each of commands) await perform(bench, each);
      await assertTrees(bench, bench.state.images);
      await daemon.restart();
      await assertEqual(bench, 'after the end');
      assertTidy(daemon.dataRoot);
      await assertTrees(bench, dangling(bench.state));
      if (rounds > 1) process.stdout.write(`round ${round}: ${bench.state.images.size} images\n`);
    }),
    { numRuns: rounds, seed, endOnFailure: true },
  );
});
