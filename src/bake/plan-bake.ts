import { posix } from 'node:path';
import { HclError, positionOf, standardLibrary } from '#hcl';
import { composeReader } from './compose/read-compose.ts';
import type { BakeFile, ReadDefinitions } from './read-files.ts';
import { readDefinitions } from './read-files.ts';
import type { ResolvedTarget, ResolvedTargets } from './resolve-targets.ts';
import { resolveTargets } from './resolve-targets.ts';

/** What definitions depend on besides their files. */
export interface BakeWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  /** `linux/amd64` */
  readonly localPlatform: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The text of a file near the definitions; undefined where there is none. */
  readText(path: string): string | undefined;
}

/** Which targets, and how they are changed by the command line. */
export interface BakeRequest {
  readonly files: readonly BakeFile[];
  /** None: the target or group `default`. */
  readonly names: readonly string[];
  /** Values of `--set`. */
  readonly overrides: readonly string[];
}

/** Reads what files define. Throws HclError, and errors with buildx's words. */
export function readBakeFiles(files: readonly BakeFile[], world: BakeWorld): ReadDefinitions {
  if (files.length === 0) throw new Error("couldn't find a bake definition");
  const seen = environmentOf(world);
  return readDefinitions(
    files,
    {
      builtIn: { BAKE_CMD_CONTEXT: 'cwd://', BAKE_LOCAL_PLATFORM: world.localPlatform },
      environment: seen,
      functions: standardLibrary({ now: () => world.now(), homeFolder: world.homeFolder }),
    },
    composeReader({ environment: seen, readText: (path) => world.readText(path) }),
  );
}

/** Finds the targets that a command line asks for, ready to be built. Throws as readBakeFiles() does. */
export function planBake(request: BakeRequest, world: BakeWorld): ResolvedTargets {
  const { definitions } = readBakeFiles(request.files, world);
  const seen = environmentOf(world);
  const resolved = resolveTargets(definitions, {
    names: request.names.length > 0 ? request.names : ['default'],
    overrides: request.overrides,
    environment: (name) => seen[name],
  });
  const epoch = world.environment['SOURCE_DATE_EPOCH'] ?? '';
  const targets = new Map(
    [...resolved.targets].map(([name, target]) => [name, finish(target, epoch)] as const),
  );
  return { ...resolved, targets };
}

/** The environment as bake files see it, which may be switched off. */
function environmentOf({ environment }: BakeWorld): BakeWorld['environment'] {
  const isOff = /^(1|t|T|TRUE|true|True)$/.test(environment['BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP'] ?? '');
  return isOff ? {} : environment;
}

function finish(target: ResolvedTarget, epoch: string): ResolvedTarget {
  if (target.context === '-') throw new Error('context from stdin not allowed in bake');
  if (target.dockerfile === '-') throw new Error('dockerfile from stdin not allowed in bake');
  const args = epoch === '' ? target.args : { SOURCE_DATE_EPOCH: epoch, ...target.args };
  // Archives go to standard output where nothing is said.
  const output = target.output?.map((entry) =>
    (entry['type'] === 'oci' || entry['type'] === 'tar') && entry['dest'] === undefined
      ? { ...entry, dest: '-' }
      : entry,
  );
  return {
    ...target,
    context: cleanContext(target.context),
    ...(args && { args }),
    ...(output && { output }),
  };
}

/** `cwd://` is where the command runs; addresses stay as they are. */
function cleanContext(context: string): string {
  const local = context.startsWith('cwd://') ? context.slice('cwd://'.length) : context;
  if (isRemote(local)) return local;
  const clean = posix.normalize(local);
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}

/** Whether a context is fetched. */
export const isRemote = (context: string): boolean =>
  /^(https?|git|ssh):\/\//.test(context) || /^(github\.com\/|[\w-]+@[^/:]+:)/.test(context);

/** The place in its file that an error is about, with two lines around it; empty for errors without one. */
export function describePlace(error: unknown): string {
  const range = error instanceof HclError ? error.diagnostics.find((each) => each.range)?.range : undefined;
  if (!range) return '';
  const { name, text } = range.source;
  const first = positionOf(range.source, range.start).line;
  const last = positionOf(range.source, range.end).line;
  const lines = text.split('\n');
  let [from, to] = [first, last];
  // One line has more around it than several have.
  for (let around = 0; around < (first === last ? 4 : 2); around += 1) {
    if (from > 1) {
      from -= 1;
      around += 1;
    }
    if (to < lines.length) {
      to += 1;
      around += 1;
    }
  }
  const shown = lines.slice(from - 1, to).map((line, at) => {
    const number = from + at;
    const mark = number >= first && number <= last ? '>>>' : '   ';
    return ` ${String(number).padStart(3)} | ${mark} ${line}`;
  });
  const rule = '--------------------';
  return `${name}:${first}\n${rule}\n${shown.join('\n')}\n${rule}\n`;
}
