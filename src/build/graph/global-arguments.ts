import { formatPlatform, hostPlatform, parseReference } from '#oci';
import type { Platform } from '#oci';
import type { Checks } from '../checks/checks.ts';
import type { FromInstruction } from '../dockerfile/instruction.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';
import { locating } from '../dockerfile/location.ts';
import { withVariable } from '../dockerfile/variables.ts';
import type { Environment } from '../dockerfile/variables.ts';
import type { WordExpander } from '../dockerfile/word-expander.ts';
import type { DeclaredArgument } from './outline.ts';
import type { PlanOptions } from './plan-options.ts';

export interface BuildPlatforms {
  /** Where commands run. */
  readonly build: Platform;
  readonly all: readonly Platform[];
  readonly target: Platform;
  /** Nobody asked for the target: a base image may have another. */
  readonly isImplicit: boolean;
}

export function platformsOf({ platform, buildPlatforms }: PlanOptions): BuildPlatforms {
  const all = buildPlatforms && buildPlatforms.length > 0 ? buildPlatforms : [platform ?? hostPlatform()];
  const build = all[0] ?? hostPlatform();
  return { build, all, target: platform ?? build, isImplicit: platform === undefined };
}

/** The arguments that are there without being declared; FROM sees them, stages after an ARG of that name. */
export function automaticArguments(
  { build, target }: BuildPlatforms,
  given: Readonly<Record<string, string>>,
  stage: string,
): Environment {
  const values: readonly (readonly [string, string])[] = [
    ['BUILDPLATFORM', formatPlatform(build)],
    ['BUILDOS', build.os],
    ['BUILDOSVERSION', build['os.version'] ?? ''],
    ['BUILDARCH', build.architecture],
    ['BUILDVARIANT', build.variant ?? ''],
    ['TARGETPLATFORM', formatPlatform(target)],
    ['TARGETOS', target.os],
    ['TARGETOSVERSION', target['os.version'] ?? ''],
    ['TARGETARCH', target.architecture],
    ['TARGETVARIANT', target.variant ?? ''],
    ['TARGETSTAGE', stage || 'default'],
  ];
  return new Map(values.map(([name, value]) => [name, given[name] ?? value]));
}

export interface GlobalArguments {
  readonly values: Environment;
  readonly declared: ReadonlyMap<string, DeclaredArgument>;
}

/** Adds what ARG declares before the first FROM. Throws DockerfileError for a default that cannot be expanded. */
export function readGlobalArguments(
  { globalArguments }: Pick<Dockerfile, 'globalArguments'>,
  automatic: Environment,
  given: Readonly<Record<string, string>>,
  expander: WordExpander,
): GlobalArguments {
  let values = automatic;
  const declared = new Map<string, DeclaredArgument>();
  for (const { arguments: list, location } of globalArguments) {
    for (const { name, value: written, description } of list) {
      let value = Object.hasOwn(given, name) ? given[name] : written;
      const dependencies = new Set<string>();
      if (!Object.hasOwn(given, name) && written !== undefined) {
        const expansion = locating(location, () => expander.expand(written, values));
        value = expansion.text;
        for (const other of expansion.matched) dependencies.add(other);
        // A value made of its own earlier one is made of what that was made of.
        if (dependencies.delete(name)) {
          for (const other of declared.get(name)?.dependencies ?? []) dependencies.add(other);
        }
      }
      if (value !== undefined) values = withVariable(values, name, value);
      declared.set(name, { name, value: value ?? '', description, location, dependencies });
    }
  }
  return { values, declared };
}

/** Warns where a base image would have no valid name if nothing was given for the arguments. */
export function checkDefaultBases(
  dockerfile: Dockerfile,
  automatic: Environment,
  expander: WordExpander,
  checks: Checks,
): void {
  let images: readonly (readonly [FromInstruction, string])[];
  try {
    const { values } = readGlobalArguments(dockerfile, automatic, {}, expander);
    images = dockerfile.stages.map(({ from }) => [from, expander.expand(from.image, values).text]);
  } catch {
    // It will be refused anyway.
    return;
  }
  for (const [from, image] of images) {
    try {
      parseReference(image);
    } catch {
      const message = `Default value for ARG ${from.image} results in empty or invalid base image name`;
      checks.report('InvalidDefaultArgInFrom', from.location, message);
    }
  }
}
