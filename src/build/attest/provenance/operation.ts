import type { Platform } from '#oci';
import { findGitSource } from '../../graph/git-source.ts';
import {
  inputsOf,
  type CopyAction,
  type ExecMount,
  type ExecVertex,
  type FileAction,
  type FileSystem,
  type FileVertex,
  type GitVertex,
  type Vertex,
} from '../../graph/vertex.ts';
import { withoutCredentials } from './without-credentials.ts';

/** Per set of local files the paths that are needed of it; undefined for all. */
export type LocalPaths = ReadonlyMap<string, readonly string[] | undefined>;

interface Context {
  readonly localPaths: LocalPaths;
  /** Address of the build's context, where it came from elsewhere. */
  readonly remote: string | undefined;
  readonly pinned: (reference: string, platform: Platform) => string;
}

/** What a vertex does, in the words of BuildKit's LLB; fields that are zero are left out, as there. */
export function operationOf(vertex: Vertex, context: Context): object {
  switch (vertex.kind) {
    case 'image': {
      const identifier = `docker-image://${context.pinned(vertex.reference, vertex.platform)}`;
      const attrs = { 'image.resolvemode': 'local' };
      return { Op: { source: { identifier, attrs } }, ...platformOf(vertex.platform) };
    }
    case 'local':
      if (vertex.name === 'context' && context.remote !== undefined) return remoteSource(context.remote);
      return source(`local://${vertex.name}`, localAttributes(vertex.name, context.localPaths));
    case 'input':
      return source(`input:${vertex.name}`, {});
    case 'git':
      return gitSource(vertex);
    case 'http': {
      const checksum = vertex.checksum === '' ? {} : { 'http.checksum': vertex.checksum };
      return source(vertex.url, { ...checksum, 'http.filename': vertex.fileName });
    }
    case 'exec':
      return { Op: execOperation(vertex), ...platformOf(vertex.platform) };
    case 'file':
      return { Op: { file: { actions: fileActions(vertex) } } };
    case 'merge':
      return { Op: { merge: { inputs: vertex.layers.map((_, input) => present({ input })) } } };
  }
}

/** Without what is zero, false or empty: Go's encoder leaves that out. */
function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isZero = (value: unknown): boolean =>
    value === undefined ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isZero(value)));
}

const source = (identifier: string, attrs: Readonly<Record<string, string>>): object => ({
  Op: { source: { identifier, ...(Object.keys(attrs).length > 0 && { attrs }) } },
});

const platformOf = ({ os, architecture, variant = '' }: Platform): object => ({
  platform: present({ Architecture: architecture, OS: os, Variant: variant }),
});

function localAttributes(name: string, localPaths: LocalPaths): Record<string, string> {
  const paths = localPaths.get(name);
  return {
    ...(paths && { 'local.followpaths': JSON.stringify(paths) }),
    'local.sharedkeyhint': name === 'context' || name === 'dockerfile' ? name : `context:${name}`,
  };
}

function remoteSource(address: string): object {
  const git = findGitSource(address);
  if (!git) return source(withoutCredentials(address), {});
  const { remote, ref, subdir, checksum } = git;
  const kept = { keepGitDir: git.keepGitDir === true, submodules: git.submodules !== false };
  return gitSource({ kind: 'git', remote: withoutCredentials(remote), ref, subdir, checksum, ...kept });
}

function gitSource({ remote, ref, subdir, checksum, keepGitDir, submodules }: GitVertex): object {
  const place = subdir === '' ? ref : `${ref}:${subdir}`;
  const identifier = `git://${remote.replace(/^[a-z]+:\/\//, '')}${place === '' ? '' : `#${place}`}`;
  return source(identifier, {
    'git.authheadersecret': 'GIT_AUTH_HEADER',
    'git.authtokensecret': 'GIT_AUTH_TOKEN',
    ...(checksum !== '' && { 'git.checksum': checksum }),
    'git.fullurl': remote,
    ...(keepGitDir && { 'git.keepgitdir': 'true' }),
    ...(!submodules && { 'git.skipsubmodules': 'true' }),
  });
}

/** Where the client's ssh agent is found unless a mount says otherwise. */
const agentSocket = '/run/buildkit/ssh_agent.0';

const networks: Readonly<Record<string, number>> = { host: 1, none: 2 };

function execOperation(vertex: ExecVertex): object {
  const { args, env, cwd, user, hostname, network, security, mounts } = vertex;
  const socket = mounts.find(({ kind }) => kind === 'ssh');
  const agent = socket?.target ?? agentSocket;
  const meta = present({
    args,
    env: socket ? [...env, `SSH_AUTH_SOCK=${agent}`] : env,
    ...{ cwd, user, hostname, removeMountStubsRecursive: true },
  });
  const secretenv = mounts.flatMap((mount) =>
    mount.kind === 'secret' && mount.env !== undefined
      ? [present({ ID: mount.id, name: mount.env, optional: !mount.required })]
      : [],
  );
  const root = { dest: '/', ...(vertex.root === 'scratch' && { input: -1 }) };
  const exec = {
    meta,
    mounts: [root, ...inOrder(mounts).flatMap((mount) => mountOf(mount, inputsOf(vertex)))],
  };
  return {
    exec: {
      ...exec,
      ...present({ network: networks[network], security: security === 'insecure' ? 1 : 0, secretenv }),
    },
  };
}

/** File systems by their places; secrets and sockets come last. */
function inOrder(mounts: readonly ExecMount[]): readonly ExecMount[] {
  const rank = ({ kind }: ExecMount): number => (kind === 'ssh' ? 2 : kind === 'secret' ? 1 : 0);
  const placeOf = (mount: ExecMount): string => (rank(mount) === 0 ? (mount.target ?? '') : '');
  return mounts.toSorted((a, b) => rank(a) - rank(b) || (placeOf(a) < placeOf(b) ? -1 : 1));
}

function mountOf(mount: ExecMount, inputs: readonly FileSystem[]): object[] {
  const input = 'from' in mount ? inputs.indexOf(mount.from) : -1;
  const selector = 'source' in mount && mount.source !== '/' ? mount.source : '';
  switch (mount.kind) {
    case 'bind':
      return [{ ...present({ input, selector, dest: mount.target, output: -1, readonly: mount.readOnly }) }];
    case 'cache': {
      const sharing = ['shared', 'private', 'locked'].indexOf(mount.sharing);
      const place = present({ input, selector, dest: mount.target, output: -1, readonly: mount.readOnly });
      return [{ ...place, mountType: 3, cacheOpt: present({ ID: mount.id, sharing }) }];
    }
    case 'tmpfs':
      return [
        { input, dest: mount.target, output: -1, mountType: 4, TmpfsOpt: present({ size_: mount.size }) },
      ];
    case 'secret': {
      if (mount.target === undefined) return [];
      return [{ input, dest: mount.target, mountType: 1, secretOpt: socketOf(mount) }];
    }
    case 'ssh': {
      const { ID, ...rest } = socketOf(mount);
      const SSHOpt = { ...(ID !== 'default' && { ID }), ...rest };
      return [{ input, dest: mount.target ?? agentSocket, mountType: 2, SSHOpt }];
    }
  }
}

const socketOf = (mount: Extract<ExecMount, { kind: 'secret' | 'ssh' }>): Record<string, unknown> =>
  present({ ID: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: !mount.required });

/** Actions one after the other: each works on what the one before it gives, the first on the base. */
function fileActions(vertex: FileVertex): object[] {
  const inputs: readonly FileSystem[] = inputsOf(vertex);
  return vertex.actions.map((action, index) => ({
    input: index === 0 ? inputs.indexOf(vertex.base) : inputs.length + index - 1,
    secondaryInput: action.kind === 'copy' ? inputs.indexOf(action.from) : -1,
    output: index === vertex.actions.length - 1 ? 0 : -1,
    Action: actionOf(action),
  }));
}

function actionOf(action: FileAction): object {
  switch (action.kind) {
    case 'mkdir': {
      const owner = ownerOf(action.owner);
      return {
        mkdir: present({ path: action.path, mode: action.mode, makeParents: true, owner, timestamp: -1 }),
      };
    }
    case 'mkfile': {
      const data = Buffer.from(action.data).toString('base64');
      return { mkfile: present({ path: action.path, mode: action.mode, data, timestamp: -1 }) };
    }
    case 'copy':
      return { copy: copyOf(action) };
  }
}

function copyOf(action: CopyAction): object {
  const { source: src, destination: dest, owner, mode, pattern, unpack, include, exclude } = action;
  return present({
    ...{ src, dest, owner: ownerOf(owner), mode: typeof mode === 'number' ? mode : -1 },
    ...{ followSymlink: pattern, dirCopyContents: pattern, attemptUnpackDockerCompatibility: unpack },
    ...{ createDestPath: true, allowWildcard: pattern, allowEmptyWildcard: pattern, timestamp: -1 },
    ...{ include_patterns: include, exclude_patterns: exclude },
    ...{ modeStr: typeof mode === 'string' ? mode : '' },
  });
}

/** `user[:group]`; one that is given alone stands for both. */
function ownerOf(owner: string): object | undefined {
  if (owner === '') return undefined;
  const [user = '', group = user] = owner.split(':');
  const each = (name: string): object => ({
    User: /^\d+$/.test(name) ? { byId: Number(name) } : { byName: { name } },
  });
  return { user: each(user), group: each(group) };
}
