import { posix } from 'node:path';
import { cleanPath } from '#kernel';
import { quoted } from '../dockerfile/go-text.ts';
import type { AddInstruction, CopyInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import { WordExpander } from '../dockerfile/word-expander.ts';
import { parseChmod } from './chmod.ts';
import { findGitSource, isHttpSource } from './git-source.ts';
import type { GitSource } from './git-source.ts';
import type { Step } from './graph-builder.ts';
import { httpFileName } from './http-file-name.ts';
import { buildContextOf } from './run-mounts.ts';
import type { StageCommand, StageNode } from './stage-node.ts';
import { expandWord, nextStep, shownText } from './stage-work.ts';
import type { StageWork } from './stage-work.ts';
import type { CopyAction, FileSystem } from './vertex.ts';

type Transfer = AddInstruction | CopyInstruction;

/** COPY or ADD with its variables expanded, and what its sources have in common. */
interface Work {
  readonly work: StageWork;
  readonly instruction: Transfer;
  readonly step: Step;
  readonly from: () => FileSystem;
  readonly shared: Pick<CopyAction, 'destination' | 'owner' | 'mode' | 'exclude'>;
}

const plainQuotes = new WordExpander('\\', { plainQuotes: true });

function expandTransfer<T extends Transfer>(work: StageWork, instruction: T): T {
  const expand = (word: string): string => expandWord(work, instruction, word);
  return {
    ...instruction,
    chown: expand(instruction.chown),
    chmod: expand(instruction.chmod),
    ...(instruction.kind === 'add' && { checksum: expand(instruction.checksum) }),
    sources: instruction.sources.map(expand),
    destination: expand(instruction.destination),
    files: instruction.files.map((file) =>
      file.expand ? { ...file, text: expandWord(work, instruction, file.text, plainQuotes) } : file,
    ),
  };
}

/** An absolute destination; a slash or `/.` at its end stays, for it says that it is a folder. */
function destinationOf(directory: string, written: string): string {
  if (written.startsWith('/')) return written;
  const path = written === '' || written === '.' ? './' : written;
  const joined = posix.join(directory, path).replace(/(?<=.)\/$/, '');
  if (path.endsWith('/') && !joined.endsWith('/')) return `${joined}/`;
  if (path.endsWith('/.')) return joined === '/' ? '/.' : `${joined}/.`;
  return joined;
}

const digestForm = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

function checkChecksum(instruction: AddInstruction): void {
  if (instruction.checksum === '') return;
  const [source = '', ...others] = instruction.sources;
  if (others.length > 0 || source === '') {
    throw new DockerfileError("checksum can't be specified for multiple sources");
  }
  if (isHttpSource(source)) {
    if (!digestForm.test(instruction.checksum)) throw new DockerfileError('invalid checksum digest format');
  } else if (!findGitSource(source)) {
    throw new DockerfileError('checksum requires HTTP(S) or Git sources');
  }
}

function sameOrOther<T>(given: T | undefined, written: T | undefined, message: string): T | undefined {
  if (given !== undefined && written !== undefined && given !== written) throw new DockerfileError(message);
  return written ?? given;
}

function gitAction({ work, instruction, step, shared }: Work, git: GitSource): CopyAction {
  if (instruction.kind === 'copy') throw new DockerfileError("source can't be a git ref for COPY");
  const keepGitDir = sameOrOther(
    instruction.keepGitDir,
    git.keepGitDir,
    'inconsistent keep-git-dir configuration',
  );
  const given = instruction.checksum || undefined;
  const written = git.checksum || undefined;
  const mismatch = `checksum mismatch ${quoted(given ?? '')} != ${quoted(written ?? '')}`;
  const from = work.build.graph.add(
    {
      kind: 'git',
      remote: git.remote,
      ref: git.ref,
      subdir: git.subdir,
      checksum: sameOrOther(given, written, mismatch) ?? '',
      keepGitDir: keepGitDir === true,
      submodules: git.submodules !== false,
    },
    step,
  );
  return { kind: 'copy', from, source: '/', ...shared, include: [], unpack: false, pattern: false };
}

function httpAction({ work, instruction, step, shared }: Work, url: string): CopyAction {
  if (instruction.kind === 'copy') throw new DockerfileError("source can't be a URL for COPY");
  const fileName = httpFileName(url);
  const from = work.build.graph.add({ kind: 'http', url, fileName, checksum: instruction.checksum }, step);
  const source = `/${fileName}`;
  const unpack = instruction.unpack === true;
  return { kind: 'copy', from, source, ...shared, include: [], unpack, pattern: false };
}

function checkIgnored({ work, instruction }: Work, source: string): void {
  if (!work.build.isIgnored(source)) return;
  const verb = instruction.kind === 'add' ? 'Add' : 'Copy';
  const message = `Attempting to ${verb} file ${quoted(source)} that is excluded by .dockerignore`;
  work.build.checks.report('CopyIgnoredFile', instruction.location, message);
}

function pathAction(transfer: Work, written: string): CopyAction {
  const { instruction, from, shared } = transfer;
  const isContext = instruction.kind === 'add' || instruction.from === '';
  if (isContext) checkIgnored(transfer, written);
  const absolute = (path: string): string => (path.startsWith('/') ? path : cleanPath(posix.join('/', path)));
  const unpack = instruction.kind === 'add' && instruction.unpack !== false;
  const common = { kind: 'copy' as const, from: from(), ...shared, unpack, pattern: true };
  if (instruction.kind === 'add' || !instruction.parents) {
    return { ...common, source: absolute(written), include: [] };
  }
  // A pivot says from where on folders are kept.
  const pivot = written.indexOf('/./');
  const root = pivot === -1 ? '/' : absolute(written.slice(0, pivot));
  const below = pivot === -1 ? written : written.slice(pivot + 3);
  return { ...common, source: root, include: [absolute(below).replace(/^\//, '')] };
}

function fileAction({ work, shared }: Work, name: string, data: string): CopyAction {
  const from = work.build.graph.add(
    {
      kind: 'file',
      base: 'scratch',
      actions: [{ kind: 'mkfile', path: `/${name}`, mode: 0o644, data }],
      platform: work.state.platform,
    },
    { name: '[internal] preparing inline document' },
  );
  const source = posix.join('/', name);
  return { kind: 'copy', from, source, ...shared, include: [], unpack: false, pattern: false };
}

function actionOf(transfer: Work, source: string): CopyAction {
  const git = findGitSource(source);
  if (git && !git.looksLocal) return gitAction(transfer, git);
  return isHttpSource(source) ? httpAction(transfer, source) : pathAction(transfer, source);
}

function historyText(instruction: Transfer): string {
  const flags = [
    instruction.kind === 'copy' && instruction.parents ? ['--parents'] : [],
    instruction.chown === '' ? [] : [`--chown=${instruction.chown}`],
    instruction.chmod === '' ? [] : [`--chmod=${instruction.chmod}`],
  ].flat();
  const files = instruction.files.map(({ name }) => `<<${name}`);
  const words = [...flags, ...instruction.sources, ...files, instruction.destination];
  return `${[instruction.kind.toUpperCase(), ...words].join(' ')} # buildkit`;
}

function notePaths(work: StageWork, instruction: Transfer, source: StageNode | undefined): void {
  const paths = source ? source.paths : work.contextPaths;
  for (const path of instruction.sources) {
    if (instruction.kind === 'copy' || !/^https?:\/\//.test(path)) paths.add(posix.join('/', path));
  }
}

export function applyTransfer(
  work: StageWork,
  command: StageCommand & { readonly instruction: Transfer },
): void {
  const { state, build } = work;
  const [source] = command.sources;
  const instruction = expandTransfer(work, command.instruction);
  if (source && !source.state) {
    const from = instruction.kind === 'copy' ? instruction.from : '';
    throw new DockerfileError(
      `cannot copy from stage ${quoted(from)}, it needs to be defined before current stage ${quoted(work.node.title)}`,
    );
  }
  const mode = parseChmod(instruction.chmod);
  if (instruction.kind === 'add') checkChecksum(instruction);
  const shown = shownText(instruction.text, build.expander, state.environment);
  const step = nextStep(work, instruction, shown, command.isTrigger);
  const destination = destinationOf(state.directory, instruction.destination);
  const transfer: Work = {
    work,
    instruction,
    step,
    from: () => source?.state?.root ?? buildContextOf(build),
    shared: { destination, owner: instruction.chown, mode, exclude: instruction.exclude },
  };
  const actions = [
    ...instruction.sources.map((path) => actionOf(transfer, path)),
    ...instruction.files.map(({ name, text }) => fileAction(transfer, name, text)),
  ];
  const { platform } = state;
  if (instruction.link) {
    const layer = build.graph.add({ kind: 'file', base: 'scratch', actions, platform }, step);
    const layers = [...(state.root === 'scratch' ? [] : [state.root]), layer];
    const name = step.name.replace(shown, `LINK ${shown}`);
    state.root = layers.length === 1 ? layer : build.graph.add({ kind: 'merge', layers }, { ...step, name });
  } else {
    state.root = build.graph.add({ kind: 'file', base: state.root, actions, platform }, step);
  }
  notePaths(work, instruction, source);
  state.record(historyText(instruction), true);
}
