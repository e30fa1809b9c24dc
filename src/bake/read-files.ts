import type { Body, HclFunction } from '#hcl';
import { HclError, JsonBody, parseJson, parseNative } from '#hcl';
import { evaluateDefinitions } from './hcl/evaluate-definitions.ts';
import type { VariableInfo } from './hcl/variable.ts';
import type { Definitions } from './target.ts';

/** A file that defines targets. */
export interface BakeFile {
  /** As the command line names it; `-` for standard input. */
  readonly name: string;
  readonly text: string;
}

/** What definitions depend on besides the files. */
export interface DefinitionSources {
  /** Variables that are always there. */
  readonly builtIn: Readonly<Record<string, string>>;
  /** The environment, as bake files see it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly functions: ReadonlyMap<string, HclFunction>;
}

export interface ReadDefinitions {
  readonly definitions: Definitions;
  readonly variables: readonly VariableInfo[];
}

/** Reads the definitions of compose files, reading `.env` as they do. */
export interface ComposeReader {
  /** Whether a file is one; its kind is told by its name, or by what is in it. Throws where the name says so and it is not. */
  isCompose(file: BakeFile): boolean;
  read(files: readonly BakeFile[]): Definitions;
}

/** The files that are read where none is named, in this order. */
export const defaultFileNames = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
  'docker-bake.json',
  'docker-bake.hcl',
  'docker-bake.override.json',
  'docker-bake.override.hcl',
] as const;

/** Reads files together: compose files first, then what HCL and JSON files add and change. Throws HclError and others. */
export function readDefinitions(
  files: readonly BakeFile[],
  world: DefinitionSources,
  compose: ComposeReader,
): ReadDefinitions {
  const composeFiles = files.filter((file) => compose.isCompose(file));
  const bodies = files.filter((file) => !composeFiles.includes(file)).map(parseBody);
  let definitions: Definitions = { groups: [], targets: [] };
  if (composeFiles.length > 0) definitions = compose.read(composeFiles);
  if (bodies.length === 0) return { definitions, variables: [] };
  return evaluateDefinitions(
    bodies,
    { builtIn: world.builtIn, functions: world.functions, lookup: (name) => world.environment[name] },
    definitions,
  );
}

function parseBody({ name, text }: BakeFile): Body {
  const source = { name, text };
  if (name.endsWith('.json')) return new JsonBody(parseJson(source));
  if (name.endsWith('.hcl')) return parseNative(source);
  try {
    return parseNative(source);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    try {
      return new JsonBody(parseJson(source));
    } catch {
      throw error;
    }
  }
}
