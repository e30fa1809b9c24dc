import type { Location } from '../dockerfile/location.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';

export interface OutlineArgument {
  readonly name: string;
  readonly value: string;
  readonly description: string;
  readonly location: Location;
}

export interface OutlineSecret {
  readonly name: string;
  readonly required: boolean;
  readonly location: Location;
}

/** What a target can be given: the answer to `--call outline`. */
export interface Outline {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly OutlineArgument[];
  readonly secrets: readonly OutlineSecret[];
  readonly ssh: readonly OutlineSecret[];
}

export interface Target {
  readonly name: string;
  readonly description: string;
  readonly default: boolean;
  readonly base: string;
  readonly platform: string;
  readonly location: Location;
}

/** What can be built: the answer to `--call targets`. */
export const listTargets = ({ stages }: Dockerfile): Target[] =>
  stages.map(({ from }, index) => ({
    name: from.stage ?? '',
    description: from.description ?? '',
    default: index === stages.length - 1,
    base: from.image,
    platform: from.platform ?? '',
    location: from.location,
  }));

/** An argument as it was declared, with those that its value was made of. */
export interface DeclaredArgument extends OutlineArgument {
  readonly dependencies: ReadonlySet<string>;
}

/** What one stage declares and uses; a stage built on another begins with that one's. */
export class OutlineRecord {
  readonly declared: Map<string, DeclaredArgument>;
  readonly used: Set<string>;
  readonly secrets: Map<string, OutlineSecret>;
  readonly ssh: Map<string, OutlineSecret>;

  constructor(from?: OutlineRecord) {
    this.declared = new Map(from?.declared);
    this.used = new Set(from?.used);
    this.secrets = new Map(from?.secrets);
    this.ssh = new Map(from?.ssh);
  }

  /** The arguments used, and those that these are made of. */
  usedArguments(): OutlineArgument[] {
    const reached = new Set(this.used);
    for (const name of reached) {
      for (const next of this.declared.get(name)?.dependencies ?? []) reached.add(next);
    }
    return [...reached].flatMap((name) => {
      const found = this.declared.get(name);
      if (!found) return [];
      const { value, description, location } = found;
      return [{ name, value, description, location }];
    });
  }
}

/** One outline of all records, what comes first winning, in the order of the file. */
export function mergeOutlines(name: string, description: string, records: readonly OutlineRecord[]): Outline {
  const unique = <T extends { name: string; location: Location }>(items: readonly T[]): T[] => {
    const byName = new Map<string, T>();
    for (const item of items) if (!byName.has(item.name)) byName.set(item.name, item);
    return [...byName.values()].sort((a, b) => a.location.firstLine - b.location.firstLine);
  };
  return {
    name,
    description,
    arguments: unique(records.flatMap((record) => record.usedArguments())),
    secrets: unique(records.flatMap(({ secrets }) => [...secrets.values()])),
    ssh: unique(records.flatMap(({ ssh }) => [...ssh.values()])),
  };
}
