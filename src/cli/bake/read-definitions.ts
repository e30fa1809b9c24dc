import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { BakeFile, BakeWorld } from '#bake';
import { defaultFileNames } from '#bake';
import { errnoOf } from '#kernel';
import type { Context } from '../context.ts';

/** Reads the files that the command line, the environment or their default names name. */
export async function readBakeFiles(context: Context, named: readonly string[]): Promise<BakeFile[]> {
  const names = named.length > 0 ? named : fromEnvironment(context.env);
  const isDefault = names.length === 0;
  const found = isDefault ? defaultFileNames.filter((name) => existsSync(name)) : names;
  const files: BakeFile[] = [];
  for (const given of found) {
    const name = given.startsWith('cwd://') ? given.slice('cwd://'.length) : given;
    const text = name === '-' ? await readInput(context) : readFile(name);
    if (text !== '') files.push({ name, text });
  }
  return files;
}

function readFile(name: string): string {
  try {
    return readFileSync(name, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new Error(`open ${name}: no such file or directory`, { cause: error });
    throw error;
  }
}

async function readInput({ terminal }: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of terminal.input()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function fromEnvironment(env: Context['env']): string[] {
  const separator = env['BUILDX_BAKE_PATH_SEPARATOR'] || ':';
  return (env['BUILDX_BAKE_FILE'] ?? '')
    .split(separator)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** What bake files see of this machine. */
export const bakeWorld = (context: Context): BakeWorld => ({
  environment: context.env,
  homeFolder: context.env['HOME'] ?? homedir(),
  localPlatform: `linux/${architectures[process.arch] ?? process.arch}`,
  now: () => context.now(),
  readText: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
});
