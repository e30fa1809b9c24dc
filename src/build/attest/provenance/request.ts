import type { Vertex } from '../../graph/vertex.ts';
import type { ProvenanceFacts } from './facts.ts';
import { withoutCredentials } from './without-credentials.ts';
import { listMaterials, type ListedMaterial } from '../material.ts';

/** What a client asked for and what that leaves open, in the words that both versions of the predicate use. */
export interface ProvenanceRequest {
  readonly source: {
    readonly uri?: string;
    readonly digest?: ListedMaterial['digest'];
    readonly path?: string;
  };
  /** Fields of `parameters`, `request`: empty ones are left out. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The repository that the client built from, as it says. */
  readonly vcs: Readonly<Record<string, string>>;
  readonly materials: readonly ListedMaterial[];
  /** All parameters are told. */
  readonly isWhole: boolean;
  /** All that the result is made of is told: nothing came from a client's folder. */
  readonly hasAllMaterials: boolean;
  /** And no command could reach the network. */
  readonly isHermetic: boolean;
}

const contextKey = 'context';
const vcsPrefix = 'vcs:';
/** What says how and where a build is done rather than what is built, or is told elsewhere. */
const untold = new Set(['cgroup-parent', 'image-resolve-mode', 'platform', 'cache-imports', 'filename']);
const isTold = (name: string): boolean =>
  !untold.has(name) && !name.startsWith('attest:') && !name.startsWith(vcsPrefix);
const isPrivate = (name: string): boolean => name.startsWith('build-arg:') || name.startsWith('label:');

/** `steps`: what the result needs. */
export function requestOf(
  facts: ProvenanceFacts,
  mode: 'min' | 'max',
  steps: readonly Vertex[],
): ProvenanceRequest {
  const { options, dockerfile } = facts.invocation;
  const materials = listMaterials(facts.materials);
  const told = Object.entries(options)
    .filter(([name]) => isTold(name))
    .map(
      ([name, value]) => [name, /^context(?::|$)/.test(name) ? withoutCredentials(value) : value] as const,
    );
  const remote = options[contextKey];
  const isRemote = remote !== undefined && remote !== '';
  const args = told.filter(
    ([name]) => !(isRemote && name === contextKey) && (mode === 'max' || !isPrivate(name)),
  );
  const locals = localsOf(steps, isRemote, options['dockerfilekey']);
  const vcs = Object.entries(options).filter(([name, value]) => name.startsWith(vcsPrefix) && value !== '');
  const origin = isRemote ? originOf(withoutCredentials(remote), materials) : {};
  const hasAllMaterials =
    locals.length === 0 &&
    (!isRemote || origin.digest !== undefined) &&
    !steps.some(({ kind }) => kind === 'input');
  const reachesNetwork = steps.some((step) => step.kind === 'exec' && step.network !== 'none');
  return {
    source: { ...origin, path: dockerfile.name },
    parameters: {
      frontend: 'dockerfile.v0',
      ...(args.length > 0 && { args: Object.fromEntries(args.toSorted(byName)) }),
      ...(mode === 'max' && providedBy(steps, isRemote)),
      ...(locals.length > 0 && { locals: locals.map((name) => ({ name })) }),
    },
    vcs: Object.fromEntries(
      vcs.map(([name, value]) => [name.slice(vcsPrefix.length), value] as const).toSorted(byName),
    ),
    materials,
    isWhole: mode === 'max' || !told.some(([name]) => isPrivate(name)),
    hasAllMaterials,
    isHermetic: hasAllMaterials && !reachesNetwork,
  };
}

const byName = (a: readonly unknown[], b: readonly unknown[]): number =>
  String(a[0]) < String(b[0]) ? -1 : 1;

const originOf = (uri: string, materials: readonly ListedMaterial[]): ProvenanceRequest['source'] =>
  materials.find((material) => material.uri === uri) ?? { uri };

/** Folders of the client that were read. */
function localsOf(
  steps: readonly Vertex[],
  isRemote: boolean,
  dockerfile: string | undefined,
): readonly string[] {
  const read = steps.flatMap((step) => (step.kind === 'local' ? [step.name] : []));
  const own = isRemote ? read.filter((name) => name !== contextKey) : [contextKey, ...read];
  return [...new Set([...own, dockerfile ?? (isRemote ? [] : 'dockerfile')].flat())].sort();
}

interface Provided {
  readonly id: string;
  readonly optional?: true;
}

/** Secrets and sockets that the client was asked for. */
function providedBy(
  steps: readonly Vertex[],
  isRemote: boolean,
): { secrets?: readonly Provided[]; ssh?: readonly Provided[] } {
  const mounts = steps.flatMap((step) => (step.kind === 'exec' ? step.mounts : []));
  const optional = (id: string): Provided => ({ id, optional: true });
  const gits = isRemote || steps.some(({ kind }) => kind === 'git');
  const secrets = new Map<string, Provided>();
  const ssh = new Map<string, Provided>();
  if (gits) for (const id of ['GIT_AUTH_HEADER', 'GIT_AUTH_TOKEN']) secrets.set(id, optional(id));
  for (const mount of mounts) {
    if (mount.kind !== 'secret' && mount.kind !== 'ssh') continue;
    const known = mount.kind === 'secret' ? secrets : ssh;
    const isRequired = mount.required || known.get(mount.id)?.optional === undefined;
    if (!known.has(mount.id) || isRequired) {
      known.set(mount.id, mount.required ? { id: mount.id } : optional(mount.id));
    }
  }
  const listed = (known: ReadonlyMap<string, Provided>): readonly Provided[] =>
    [...known].toSorted(byName).map(([, provided]) => provided);
  return {
    ...(secrets.size > 0 && { secrets: listed(secrets) }),
    ...(ssh.size > 0 && { ssh: listed(ssh) }),
  };
}
