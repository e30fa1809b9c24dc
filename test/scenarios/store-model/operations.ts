import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { dockerArchive, makeTar, type Daemon } from '../../setup/index.ts';
import { ask, createContainer, lines } from './engine.ts';
import { applied, rootTar, samples, type Tree } from './images.ts';
import { dangling, hasChild, lineOf, named, parents, trees, unnamed, without, type State } from './model.ts';

export const kinds = [
  'load',
  'load',
  'load',
  'load',
  'tag',
  'tag',
  'tag',
  'commit',
  'import',
  'pull',
  'remove',
  'removeId',
  'push',
  'push',
  'pull',
  'pull',
  'save',
  'reload',
  'import',
  'commit',
  'prune',
  'pruneAll',
  'collect',
] as const;
export type Kind = (typeof kinds)[number];

export interface Operation {
  readonly kind: Kind;
  /** Chooses whatever there is to choose. */
  readonly dice: readonly [number, number, number];
}

export interface Bench {
  readonly daemon: Daemon;
  /** host:port */
  readonly registry: string;
  state: State;
  /** What save() wrote: archives and the names in them. */
  readonly saved: { readonly archive: Buffer; readonly names: readonly (readonly [string, string])[] }[];
}

/**
 * What an operation does: `states` are those that may be seen after it was interrupted besides the one before; the
 * promise is fulfilled with the one that must be seen after it was answered.
 */
export interface Step {
  readonly states: readonly State[];
  /** Images that may be gone besides, in each of them. */
  readonly mayLose?: readonly string[];
  /** An image with an id that is not known before may have come, under this name and with this tree. */
  readonly fresh?: { readonly name: string; readonly tree: Tree; readonly parent?: string };
  run(): Promise<State>;
}

const pick = <T>(list: readonly T[], dice: number): T | undefined => list[dice % Math.max(1, list.length)];
const locals = ['one:latest', 'two:latest', 'two:other', 'three:latest'];
const tags = ['v1', 'v2'];
const encode = encodeURIComponent;
const split = (name: string): [repository: string, tag: string] => {
  const at = name.lastIndexOf(':');
  return [name.slice(0, at), name.slice(at + 1)];
};

function load({ daemon, state }: Bench, [one, two, three]: Operation['dice']): Step {
  const { image, id } = pick(samples, one) ?? assert.fail();
  const name = pick(locals, two) ?? '';
  const after = named(state, name, id);
  const plain = dockerArchive([{ image, tags: [name] }]);
  const archive = three % 2 === 0 ? plain : gzipSync(plain);
  return {
    states: [after],
    async run() {
      const answer = await ask(daemon, 'POST', '/images/load', archive);
      const { error } = lines(answer);
      assert.equal(error, undefined, `load of ${name}`);
      return after;
    },
  };
}

function tag({ daemon, state, registry }: Bench, [one, two, three]: Operation['dice']): Step | undefined {
  const id = pick([...state.images], one);
  if (id === undefined) return undefined;
  const remote = `${registry}/${pick(['app', 'team/app'], three) ?? ''}:${pick(tags, two) ?? ''}`;
  const name = pick([...locals, remote, remote, remote], two + three) ?? '';
  const after = named(state, name, id);
  const [repository, version] = split(name);
  return {
    states: [after],
    async run() {
      const path = `/images/${id}/tag?repo=${encode(repository)}&tag=${version}`;
      const { status, body } = await ask(daemon, 'POST', path);
      assert.equal(status, 201, body.toString());
      return after;
    },
  };
}

function remove({ daemon, state }: Bench, [one]: Operation['dice']): Step | undefined {
  const name = pick([...state.names.keys()], one);
  if (name === undefined) return undefined;
  const id = state.names.get(name) ?? '';
  const after = unnamed(state, name);
  return {
    states: [after, { ...after, images: state.images }],
    mayLose: ancestors(after, id),
    async run() {
      const { status, body } = await ask(daemon, 'DELETE', `/images/${encode(name)}`);
      if (status === 409) return state;
      assert.equal(status, 200, body.toString());
      const gone = deletedIn(body, state);
      // One that another was made from stays without a name.
      if (!gone.includes(id)) {
        assert.deepEqual(gone, []);
        assert.ok(after.images.has(id) || hasChild(state, id), `${id} stays although nothing needs it`);
        return { ...after, images: state.images };
      }
      return withoutLine(after, id, gone);
    },
  };
}

/** Images without a name that this one was made from: they go with it. */
const ancestors = (state: State, id: string): string[] =>
  lineOf(id).filter((each) => each !== id && dangling(state).includes(each));

/** Which of the images are told to be deleted; layers are told of likewise. */
const deletedIn = (body: Buffer, { images }: State): string[] =>
  (JSON.parse(body.toString()) as { Deleted?: string }[])
    .flatMap(({ Deleted = [] }) => Deleted)
    .filter((id) => images.has(id));

/** The state without an image and what of its ancestors was deleted with it. */
function withoutLine(state: State, id: string, gone: readonly string[]): State {
  const allowed = [id, ...ancestors(without(state, [id]), id)];
  for (const each of gone) assert.ok(allowed.includes(each), `${each} was deleted with ${id}`);
  return without(state, gone);
}

function removeId({ daemon, state }: Bench, [one]: Operation['dice']): Step | undefined {
  const id = pick([...state.images], one);
  if (id === undefined) return undefined;
  const after = without(state, [id]);
  return {
    states: [after, { ...after, images: state.images }],
    mayLose: ancestors(after, id),
    async run() {
      const { status, body } = await ask(daemon, 'DELETE', `/images/${id}?force=1`);
      if (status === 409) return state;
      assert.equal(status, 200, body.toString());
      const gone = deletedIn(body, state);
      assert.ok(gone.includes(id));
      return withoutLine(state, id, gone);
    },
  };
}

function push({ daemon, state, registry }: Bench, [one]: Operation['dice']): Step | undefined {
  const name = pick(
    [...state.names.keys()].filter((each) => each.startsWith(registry)),
    one,
  );
  const id = state.names.get(name ?? '');
  if (name === undefined || id === undefined) return undefined;
  const [repository, version] = split(name);
  const after = { ...state, registry: new Map([...state.registry, [name, id]]) };
  return {
    states: [after],
    async run() {
      const path = `/images/${repository}/push?tag=${version}`;
      const answer = await ask(daemon, 'POST', path, undefined, { 'x-registry-auth': 'e30=' });
      assert.equal(lines(answer).error, undefined, `push of ${name}`);
      return after;
    },
  };
}

function pull({ daemon, state }: Bench, [one]: Operation['dice']): Step | undefined {
  const name = pick([...state.registry.keys()], one);
  const id = state.registry.get(name ?? '');
  if (name === undefined || id === undefined) return undefined;
  const [repository, version] = split(name);
  const after = named(state, name, id);
  return {
    states: [after],
    async run() {
      const path = `/images/create?fromImage=${encode(repository)}&tag=${version}`;
      const answer = await ask(daemon, 'POST', path);
      assert.equal(lines(answer).error, undefined, `pull of ${name}`);
      return after;
    },
  };
}

function save({ daemon, state, saved }: Bench, [one, two]: Operation['dice']): Step | undefined {
  const chosen = [...new Set([pick([...state.names], one), pick([...state.names], two)])];
  const names = chosen.filter((each) => each !== undefined);
  if (names.length === 0) return undefined;
  return {
    states: [],
    async run() {
      const query = names.map(([name]) => `names=${encode(name)}`).join('&');
      const { status, body } = await ask(daemon, 'GET', `/images/get?${query}`);
      assert.equal(status, 200, body.toString());
      saved.push({ archive: body, names });
      return state;
    },
  };
}

function reload({ daemon, state, saved }: Bench, [one]: Operation['dice']): Step | undefined {
  const chosen = pick(saved, one);
  if (!chosen) return undefined;
  const states: State[] = [];
  let after = state;
  const byName = (list: typeof chosen.names): State =>
    list.reduce((each, [name, id]) => named(each, name, id), state);
  after = byName(chosen.names);
  for (const single of chosen.names) states.push(byName([single]));
  return {
    states: [...states, after],
    async run() {
      const answer = await ask(daemon, 'POST', '/images/load', chosen.archive);
      assert.equal(lines(answer).error, undefined, 'load of what was saved');
      return after;
    },
  };
}

function importRoot({ daemon, state }: Bench, [one, two]: Operation['dice']): Step {
  const { tar, tree } = rootTar(one);
  const name = pick(locals, two) ?? '';
  const [repository, version] = split(name);
  return {
    states: [],
    fresh: { name, tree },
    async run() {
      const path = `/images/create?fromSrc=-&repo=${repository}&tag=${version}`;
      const { last, error } = lines(await ask(daemon, 'POST', path, tar));
      assert.equal(error, undefined, `import of ${name}`);
      const id = String(last['status']);
      trees.set(id, tree);
      return named(state, name, id);
    },
  };
}

function commit({ daemon, state }: Bench, [one, two]: Operation['dice']): Step | undefined {
  const base = pick([...state.images], one);
  if (base === undefined) return undefined;
  const name = pick(locals, two) ?? '';
  const [repository, version] = split(name);
  const entries = [{ name: 'data/committed', content: `commit ${one}` }];
  const tree = applied(trees.get(base) ?? new Map<string, string>(), entries);
  return {
    states: [],
    fresh: { name, tree, parent: base },
    async run() {
      const container = await createContainer(daemon, base);
      const put = await ask(daemon, 'PUT', `/containers/${container}/archive?path=/`, makeTar(entries));
      assert.equal(put.status, 200, put.body.toString());
      const path = `/commit?container=${container}&repo=${repository}&tag=${version}`;
      const answer = await ask(daemon, 'POST', path, Buffer.from('{}'), {
        'content-type': 'application/json',
      });
      assert.equal(answer.status, 201, answer.body.toString());
      const removed = await ask(daemon, 'DELETE', `/containers/${container}?force=1`);
      assert.equal(removed.status, 204, removed.body.toString());
      const { Id } = JSON.parse(answer.body.toString()) as { Id: string };
      trees.set(Id, tree);
      parents.set(Id, base);
      return named(state, name, Id);
    },
  };
}

function prune({ daemon, state }: Bench, [one]: Operation['dice'], all: boolean): Step {
  const meant = all ? [...state.images] : dangling(state);
  return {
    states: [],
    mayLose: meant,
    async run() {
      const filters = encode(JSON.stringify({ dangling: { [String(!all)]: true } }));
      const path = `/images/prune?filters=${filters}${one % 2 === 0 ? '&now=1' : ''}`;
      const { status, body } = await ask(daemon, 'POST', path);
      assert.equal(status, 200, body.toString());
      const { ImagesDeleted } = JSON.parse(body.toString()) as {
        ImagesDeleted: { Deleted?: string }[] | null;
      };
      const deleted = (ImagesDeleted ?? []).flatMap(({ Deleted = [] }) => Deleted);
      // Others come out of the bin, which is emptied at once if asked.
      const gone = deleted.filter((id) => state.images.has(id));
      for (const id of gone) assert.ok(meant.includes(id), `${id} was pruned`);
      const after = without(state, gone);
      for (const id of meant) assert.ok(gone.includes(id) || hasChild(state, id), `${id} was not pruned`);
      return after;
    },
  };
}

function collect({ daemon, state }: Bench): Step {
  return {
    states: [],
    async run() {
      const { status, body } = await ask(daemon, 'POST', '/system/gc');
      assert.ok(status < 300, body.toString());
      return state;
    },
  };
}

/** What the operation comes to now; undefined where there is nothing to do it with. */
export function stepOf(bench: Bench, { kind, dice }: Operation): Step | undefined {
  switch (kind) {
    case 'load':
      return load(bench, dice);
    case 'tag':
      return tag(bench, dice);
    case 'remove':
      return remove(bench, dice);
    case 'removeId':
      return removeId(bench, dice);
    case 'push':
      return push(bench, dice);
    case 'pull':
      return pull(bench, dice);
    case 'save':
      return save(bench, dice);
    case 'reload':
      return reload(bench, dice);
    case 'import':
      return importRoot(bench, dice);
    case 'commit':
      return commit(bench, dice);
    case 'prune':
      return prune(bench, dice, false);
    case 'pruneAll':
      return prune(bench, dice, true);
    case 'collect':
      return collect(bench);
  }
}
