import { hasWildcards, namePattern } from './name-pattern.ts';
import type { Granted, Overrides } from './overrides.ts';
import { applyOverrides, parseOverrides } from './overrides.ts';
import type { Definitions, Group, Target } from './target.ts';
import { mergeTargets, normalizeTarget } from './target.ts';

/** What a command line asks of definitions. */
export interface TargetRequest {
  readonly names: readonly string[];
  /** Values of `--set`. */
  readonly overrides: readonly string[];
  readonly environment: (name: string) => string | undefined;
}

/** A target with all that it inherits and the command line sets. */
export interface ResolvedTarget extends Target {
  readonly context: string;
  readonly dockerfile: string;
  /** Built only because another target uses it. */
  readonly linked: boolean;
}

export interface ResolvedTargets {
  readonly targets: ReadonlyMap<string, ResolvedTarget>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly granted: Granted;
}

/** What is asked for, and what that needs. Throws errors with buildx's words. */
export function resolveTargets(definitions: Definitions, request: TargetRequest): ResolvedTargets {
  const granted: Granted = { read: [], write: [], entitlements: [] };
  const overrides = parseOverrides(request.overrides, definitions.targets, request.environment);
  const resolver = new Resolver(definitions, overrides, granted);
  const names = [...new Set(request.names.map(targetName).flatMap((name) => matchNames(name, definitions)))];
  for (const name of names) resolver.add(name);
  return { ...resolver.finish(names), granted };
}

/** Names of compose services may have dots, which names of targets have not. */
export const targetName = (name: string): string => name.replaceAll('.', '_');

function matchNames(name: string, { groups, targets }: Definitions): string[] {
  if (!hasWildcards(name)) return [name];
  const pattern = namePattern(name);
  const found = [...groups, ...targets].map((each) => each.name).filter((each) => pattern?.test(each));
  if (found.length === 0) throw new Error(`could not find any target matching ${JSON.stringify(name)}`);
  return found;
}

type Mutable = { -readonly [K in keyof ResolvedTarget]: ResolvedTarget[K] };

class Resolver {
  readonly #definitions: Definitions;
  readonly #overrides: Overrides;
  readonly #granted: Granted;
  readonly #targets = new Map<string, Mutable>();
  readonly #groups = new Map<string, Group>();

  constructor(definitions: Definitions, overrides: Overrides, granted: Granted) {
    this.#definitions = definitions;
    this.#overrides = overrides;
    this.#granted = granted;
  }

  add(name: string): void {
    const { targets, groups } = this.#members(name, new Map());
    for (const each of new Set(targets)) this.#targets.set(each, this.#resolve(each));
    for (const each of new Set(groups)) {
      const group = this.#definitions.groups.find((other) => other.name === each);
      if (group) this.#groups.set(each, group);
    }
  }

  /** The targets that a group holds, its groups' included; a name that is no group is a target's. */
  #members(
    name: string,
    visited: Map<string, { readonly targets: string[]; readonly groups: string[] }>,
  ): { readonly targets: string[]; readonly groups: string[] } {
    const before = visited.get(name);
    if (before) return before;
    const group = this.#definitions.groups.find((each) => each.name === name);
    if (!group) return { targets: [name], groups: [] };
    visited.set(name, { targets: [], groups: [] });
    const inside = group.targets.map((each) => ({ each, members: this.#members(each, visited) }));
    const found = {
      targets: inside.flatMap(({ each, members }) => (members.targets.length > 0 ? members.targets : [each])),
      groups: [name, ...inside.flatMap(({ members }) => members.groups)],
    };
    visited.set(name, found);
    return found;
  }

  #resolve(name: string): Mutable {
    const target = this.#inherit(name, new Map());
    const resolved: Mutable = {
      ...target,
      context: target?.context ?? '.',
      dockerfile: target?.dockerfile || 'Dockerfile',
      linked: false,
      name,
    };
    delete resolved.inherits;
    return resolved;
  }

  /** Undefined while it is under way: a target that inherits from itself adds nothing. */
  #inherit(name: string, visited: Map<string, Target | undefined>): Target | undefined {
    if (visited.has(name)) return visited.get(name);
    visited.set(name, undefined);
    const own = this.#definitions.targets.find((each) => each.name === name);
    if (!own) throw new Error(`failed to find target ${name}`);
    let merged: Target = { name };
    for (const parent of own.inherits ?? []) {
      const inherited = this.#inherit(parent, visited);
      if (inherited) merged = mergeTargets(merged, inherited);
    }
    const whole = mergeTargets(merged, own);
    const target = normalizeTarget(applyOverrides(whole, this.#overrides, this.#granted));
    visited.set(name, target);
    return target;
  }

  finish(names: readonly string[]): Omit<ResolvedTargets, 'granted'> {
    const asked = names.filter((name) => name !== 'default' || !this.#groups.has('default'));
    if (asked.length > 0 || this.#groups.has('default')) {
      const before = this.#groups.get('default');
      const targets = [...new Set([...(before?.targets ?? []), ...asked])].sort();
      this.#groups.set('default', { ...before, name: 'default', targets });
    }
    for (const name of [...this.#targets.keys()]) this.#link(name, []);
    return { targets: this.#targets, groups: this.#groups };
  }

  /** Resolves what a target takes from others. */
  #link(name: string, visited: readonly string[]): void {
    const target = this.#targets.get(name);
    if (!target) return;
    const path = [...visited, name];
    for (const source of linkedContexts(target).values()) {
      if (source === name) throw new Error(`target ${source} cannot link to itself`);
      if (path.includes(source)) throw new Error(`infinite loop from ${name} to ${source}`);
      if (!this.#targets.has(source)) {
        this.#targets.set(source, {
          ...this.#resolve(source),
          output: [{ type: 'cacheonly' }],
          linked: true,
        });
      }
      this.#link(source, path);
      const linked = this.#targets.get(source);
      if (linked?.entitlements) {
        target.entitlements = [...new Set([...(target.entitlements ?? []), ...linked.entitlements])];
      }
      checkPlatforms(target, source, linked);
    }
  }
}

/** The targets whose results a target takes, by the names of its contexts. */
export const linkedContexts = ({ contexts }: Target): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(contexts ?? {}).flatMap(([name, value]) =>
      value.startsWith('target:') ? [[name, value.slice('target:'.length)] as const] : [],
    ),
  );

function checkPlatforms(target: Target, source: string, linked: Target | undefined): void {
  const [own = [], other = []] = [target.platforms, linked?.platforms];
  if (own.length < 2 || other.length < 2 || own.every((platform) => other.includes(platform))) return;
  throw new Error(
    `target ${source} can't be used by ${target.name} because its platforms [${own.join(' ')}] are not a subset of [${other.join(' ')}]`,
  );
}
