import { cleanPath } from '#kernel';
import type { Location } from '../dockerfile/location.ts';
import type { Stage, StageInstruction } from '../dockerfile/instruction.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';

/** Advice that makes later builds faster; nothing is wrong with the file. */
export interface OrderHint {
  readonly message: string;
  /** Of the COPY that comes too early. */
  readonly location: Location;
}

/** What installs dependencies, and the files that say which. */
const installers: readonly (readonly [command: RegExp, shown: string, manifests: string])[] = [
  [/\bnpm (?:ci|install|i)\b/, 'npm', 'package.json package-lock.json'],
  [/\byarn(?: install)?(?=\s*(?:$|[;&|]|--))/, 'yarn', 'package.json yarn.lock'],
  [/\bpnpm (?:install|i)\b/, 'pnpm', 'package.json pnpm-lock.yaml'],
  [/\bbun install\b/, 'bun', 'package.json bun.lock'],
  [/\bpip3? install\b.*(?:-r|--requirement)/, 'pip', 'requirements.txt'],
  [/\bpoetry install\b/, 'poetry', 'pyproject.toml poetry.lock'],
  [/\buv sync\b/, 'uv', 'pyproject.toml uv.lock'],
  [/\bbundle install\b/, 'bundle', 'Gemfile Gemfile.lock'],
  [/\bcomposer install\b/, 'composer', 'composer.json composer.lock'],
  [/\bgo mod download\b/, 'go mod download', 'go.mod go.sum'],
  [/\bcargo fetch\b/, 'cargo fetch', 'Cargo.toml Cargo.lock'],
  [/\bmvn\b.*dependency:/, 'mvn', 'pom.xml'],
  [/\bdotnet restore\b/, 'dotnet restore', 'the project files'],
];

function isWholeContext(instruction: StageInstruction): boolean {
  if (instruction.kind !== 'copy' && instruction.kind !== 'add') return false;
  if (instruction.kind === 'copy' && instruction.from !== '') return false;
  return instruction.sources.some((source) => ['.', '/'].includes(cleanPath(source)));
}

function hintOf({ instructions }: Stage): OrderHint | undefined {
  const at = instructions.findIndex(isWholeContext);
  const copy = instructions[at];
  if (!copy) return undefined;
  for (const instruction of instructions.slice(at + 1)) {
    if (instruction.kind !== 'run') continue;
    const command = [...instruction.command.words, ...instruction.files.map(({ content }) => content)].join(
      ' ',
    );
    const found = installers.find(([pattern]) => pattern.test(command));
    if (!found) continue;
    const [, shown, manifests] = found;
    const message = `${copy.text} before ${shown}: each change of any file installs all dependencies again. Copy ${manifests} first, install, and copy the rest behind it`;
    return { message, location: copy.location };
  }
  return undefined;
}

/** Per stage the place where the order of instructions makes the cache useless. */
export const orderHints = ({ stages }: Pick<Dockerfile, 'stages'>): OrderHint[] =>
  stages.map(hintOf).filter((hint) => hint !== undefined);
