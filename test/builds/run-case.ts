import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { answerOf, command, succeed, type Client } from '../setup/index.ts';
import type { BuildCase } from './build-case.ts';
import type { BuildResult } from './build-golden.ts';
import { readBuiltImage } from './built-image.ts';
import { writeFiles } from './context-folder.ts';

/** How a case is handed to the command line; the image is to be called `tag`. */
export interface CaseFolder {
  readonly folder: string;
  /** Flags and the context, behind `build`. */
  readonly words: readonly string[];
}

/** Writes a case's files and says how it is built. */
export async function prepareCase(one: BuildCase, root: string): Promise<CaseFolder> {
  const folder = join(root, 'context');
  const file = join(folder, one.file ?? 'Dockerfile');
  await writeFiles(folder, one.files ?? {});
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, one.dockerfile, { mode: 0o644 });
  const words = ['--file', file];
  const pairs = (flag: string, values: Readonly<Record<string, string>> = {}): void => {
    for (const [name, value] of Object.entries(values)) words.push(flag, `${name}=${value}`);
  };
  pairs('--build-arg', one.arguments);
  pairs('--label', one.labels);
  if (one.target !== undefined) words.push('--target', one.target);
  if (one.platform !== undefined) words.push('--platform', one.platform);
  if (one.network !== undefined) words.push('--network', one.network);
  for (const [id, secret] of Object.entries(one.secrets ?? {})) {
    await writeFile(join(root, `secret-${id}`), secret);
    words.push('--secret', `id=${id},src=${join(root, `secret-${id}`)}`);
  }
  for (const [name, context] of Object.entries(one.contexts ?? {})) {
    if (typeof context === 'string') words.push('--build-context', `${name}=${context}`);
    else {
      await writeFiles(join(root, `context-${name}`), context);
      words.push('--build-context', `${name}=${join(root, `context-${name}`)}`);
    }
  }
  return { folder, words: [...words, folder] };
}

/** What builds a case: docker's plugin, docker without it, or our own command line. */
export type BuildWay = 'buildx' | 'legacy' | 'wharf';

interface Invocation {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const invocations: Readonly<Record<BuildWay, Invocation>> = {
  buildx: {
    words: ['buildx', 'build'],
    env: { BUILDKIT_PROGRESS: 'plain', BUILDX_NO_DEFAULT_ATTESTATIONS: '1' },
  },
  legacy: { words: ['build'], env: { DOCKER_BUILDKIT: '0' } },
  wharf: { words: ['build'], env: { BUILDKIT_PROGRESS: 'plain' } },
};

/** Whether a client that sends a tar and nothing else can be asked for a case. */
export const fitsLegacy = (one: BuildCase): boolean =>
  one.secrets === undefined && one.contexts === undefined && one.fails !== true;

/** What went wrong, without what the command line says before it. */
function failureOf(output: string): string {
  const message = /^ERROR: (.*)$/m.exec(output)?.[1] ?? output;
  return message
    .replace(/^failed to build: /, '')
    .replace(/^failed to solve: /, '')
    .replace(/ of ref \S+?: /, ' of ref: ')
    .replace(/\/\S+\/overlay2\/\w+\/merged/, '');
}

/** The docker command line on the PATH; DOCKER_HOST says where. */
const onPath: Client = (args, options) => command('docker', args, options);

/** Builds a case with a command line and reads what it came to. */
export async function runCase(
  one: BuildCase,
  docker: Client = onPath,
  way: BuildWay = 'buildx',
): Promise<BuildResult> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-case-'));
  const tag = `wharf-case:${one.name.replace(/[^a-z0-9]/g, '-')}`;
  try {
    const { words } = await prepareCase(one, root);
    const how = invocations[way];
    const built = await docker([...how.words, '--tag', tag, ...words], { env: how.env });
    if (built.code !== 0) return { error: failureOf(built.stderr) };
    const saved = join(root, 'saved');
    await mkdir(saved);
    await answerOf(docker, ['save', '--output', join(root, 'saved.tar'), tag]);
    await succeed('tar', ['-C', saved, '-xf', join(root, 'saved.tar')]);
    return await readBuiltImage(saved);
  } finally {
    await docker(['image', 'rm', '--force', tag]);
    await rm(root, { recursive: true, force: true });
  }
}
