import { posix } from 'node:path';
import { cleanPath } from '#kernel';
import { quoted } from '../dockerfile/go-text.ts';
import type { RunInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import { parseRunMount } from '../dockerfile/run-mount.ts';
import type { RunMount } from '../dockerfile/run-mount.ts';
import type { StageNode } from './stage-node.ts';
import { expandWord } from './stage-work.ts';
import type { BuildWork, StageWork } from './stage-work.ts';
import type { ExecMount, FileSystem } from './vertex.ts';

const secretFolder = '/run/secrets';
const secretMode = 0o400;
const socketMode = 0o600;
const cacheMode = 0o755;

/** The vertex of the build context. */
export const buildContextOf = ({ graph }: BuildWork): FileSystem =>
  graph.add({ kind: 'local', name: 'context' }, { name: '[internal] load build context' });

function secretMount(work: StageWork, instruction: RunInstruction, mount: RunMount): ExecMount {
  const id = mount.source || mount.id || posix.basename(mount.target);
  const { secrets } = work.node.outline;
  const { required } = mount;
  if (!secrets.has(id)) secrets.set(id, { name: id, required, location: instruction.location });
  const fallback = mount.env === undefined ? posix.join(secretFolder, posix.basename(id)) : undefined;
  return {
    kind: 'secret',
    id,
    env: mount.env,
    target: mount.target || fallback,
    required,
    mode: mount.mode ?? secretMode,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
  };
}

function sshMount(work: StageWork, instruction: RunInstruction, mount: RunMount): ExecMount {
  if (mount.source !== '') throw new DockerfileError('ssh does not support source');
  const id = mount.id || 'default';
  const { ssh } = work.node.outline;
  const { required } = mount;
  if (!ssh.has(id)) ssh.set(id, { name: id, required, location: instruction.location });
  return {
    kind: 'ssh',
    id,
    target: mount.target || undefined,
    required,
    mode: mount.mode ?? socketMode,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
  };
}

/** The file system behind a mount, and where in it. */
function originOf(
  work: StageWork,
  mount: RunMount,
  source: StageNode | undefined,
): { from: FileSystem; path: string } {
  const path = posix.join('/', mount.source);
  if (mount.type === 'tmpfs' || (mount.type === 'cache' && mount.from === '')) {
    return { from: 'scratch', path };
  }
  if (mount.from === '') {
    work.contextPaths.add(path);
    return { from: buildContextOf(work.build), path };
  }
  if (!source?.state) {
    throw new DockerfileError(
      `cannot mount from stage ${quoted(mount.from)} to ${quoted(mount.target)}, stage needs to be defined before current command`,
    );
  }
  source.paths.add(path);
  return { from: source.state.root, path };
}

/** A new cache with an owner or mode begins with a folder that has them. */
function ownedCache(work: StageWork, mount: RunMount, from: FileSystem): FileSystem {
  return work.build.graph.add(
    {
      kind: 'file',
      base: from,
      actions: [
        {
          kind: 'mkdir',
          path: '/cache',
          mode: mount.mode ?? cacheMode,
          owner: `${mount.uid ?? 0}:${mount.gid ?? 0}`,
        },
      ],
      platform: work.state.platform,
    },
    { name: '[internal] setting cache mount permissions' },
  );
}

function mountTarget(work: StageWork, mount: RunMount): string {
  const { target } = mount;
  const absolute = cleanPath(target).startsWith('/') ? target : posix.join('/', work.state.directory, target);
  if (absolute === '/') throw new DockerfileError(`invalid mount target ${quoted(absolute)}`);
  return absolute;
}

function fileMount(work: StageWork, mount: RunMount, source: StageNode | undefined): ExecMount {
  const origin = originOf(work, mount, source);
  const target = mountTarget(work, mount);
  const { readOnly } = mount;
  if (mount.type === 'tmpfs') return { kind: 'tmpfs', target, size: mount.size, readOnly };
  if (mount.type !== 'cache') {
    return { kind: 'bind', target, from: origin.from, source: origin.path, readOnly };
  }
  const isOwned = mount.uid !== undefined || mount.gid !== undefined || mount.mode !== undefined;
  const owned = origin.path === '/' && isOwned;
  return {
    kind: 'cache',
    target,
    from: owned ? ownedCache(work, mount, origin.from) : origin.from,
    source: owned ? '/cache' : origin.path,
    id: `${work.build.options.cacheNamespace ?? ''}/${mount.id || cleanPath(mount.target)}`,
    sharing: mount.sharing ?? 'shared',
    readOnly,
  };
}

/** The mounts of a RUN, in the order in which they stand. */
export function runMounts(
  work: StageWork,
  instruction: RunInstruction,
  sources: readonly (StageNode | undefined)[],
): ExecMount[] {
  return instruction.mounts.map((text, index) => {
    const mount = parseRunMount(text, (word) => expandWord(work, instruction, word));
    if (mount.type === 'secret') return secretMount(work, instruction, mount);
    if (mount.type === 'ssh') return sshMount(work, instruction, mount);
    return fileMount(work, mount, sources[index]);
  });
}
