import { posix } from 'node:path';
import { findHeredocOpening, heredocText } from '../dockerfile/heredoc.ts';
import type { RunInstruction } from '../dockerfile/instruction.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import type { Variables } from '../dockerfile/variables.ts';
import { WordExpander } from '../dockerfile/word-expander.ts';
import { behindShell } from './apply-metadata.ts';
import { runMounts } from './run-mounts.ts';
import type { StageCommand } from './stage-node.ts';
import { nextStep, shownText } from './stage-work.ts';
import type { StageWork } from './stage-work.ts';
import type { ExecMount } from './vertex.ts';

const scriptFolder = '/dev/pipes/';

interface Command {
  readonly args: readonly string[];
  readonly mounts: readonly ExecMount[];
  /** Of a command that is an inline file: its first line. */
  readonly summary: string;
}

function summaryOf(text: string): string {
  const rows = text.trim().split(/\r?\n/);
  return ` (${rows[0] ?? ''}${rows.length > 1 ? '...' : ''})`;
}

/** The command that an instruction with inline files stands for. */
function inlineCommand(work: StageWork, { command, files }: RunInstruction): Command {
  const [line] = command.words;
  const [file] = files;
  if (line === undefined || !file || command.words.length !== 1 || !command.shell) {
    throw new DockerfileError(`parsing produced an invalid run command: [${command.words.join(' ')}]`);
  }
  if (!findHeredocOpening(line)) {
    // The shell reads the files itself.
    const all = files.map(({ content, name }) => `\n${content}${name}`).join('');
    return { args: behindShell(work, [line + all]), mounts: [], summary: '' };
  }
  const summary = summaryOf(file.content);
  const data = heredocText(file);
  if (!file.content.startsWith('#!') || work.state.image.platform.os === 'windows') {
    return { args: behindShell(work, [data]), mounts: [], summary };
  }
  const from = work.build.graph.add(
    {
      kind: 'file',
      base: 'scratch',
      actions: [{ kind: 'mkfile', path: `/${file.name}`, mode: 0o755, data }],
      platform: work.state.platform,
    },
    { name: '[internal] preparing inline document' },
  );
  const mount: ExecMount = { kind: 'bind', target: scriptFolder, from, source: '/', readOnly: true };
  const args = behindShell(work, [posix.join(scriptFolder, file.name)]);
  return { args, mounts: [mount], summary };
}

/** Values that are secrets are not shown, and not those of variables of the same name either. */
function masked(variables: Variables, mounts: readonly ExecMount[]): Variables {
  const hidden = new Set(mounts.flatMap((mount) => (mount.kind === 'secret' ? [mount.env] : [])));
  return {
    get: (name) => (hidden.has(name) ? '****' : variables.get(name)),
    keys: () => variables.keys(),
  };
}

/** Build arguments with the values that the command sees. */
function visibleArguments({ state }: StageWork): Map<string, string> {
  const values = new Map<string, string>();
  for (const { name, value } of state.buildArguments) {
    values.set(name, state.environment.get(name) ?? value ?? '');
  }
  return values;
}

export function applyRun(
  work: StageWork,
  {
    instruction,
    sources,
    isTrigger,
  }: StageCommand & {
    readonly instruction: RunInstruction;
  },
): void {
  const { state, build, node } = work;
  node.paths.add('/');
  const { command, files } = instruction;
  const run: Command =
    files.length > 0
      ? inlineCommand(work, instruction)
      : {
          args: command.shell ? behindShell(work, command.words) : command.words,
          mounts: [],
          summary: '',
        };
  const mounts = [...run.mounts, ...runMounts(work, instruction, sources)];
  const shower = new WordExpander(build.escape, { rawQuotes: true, keepUnset: true });
  const shown = shownText(instruction.text + run.summary, shower, masked(state.environment, mounts));
  const values = visibleArguments(work);
  const { network } = instruction;
  const { extraHosts = [] } = build.options;
  state.root = build.graph.add(
    {
      kind: 'exec',
      root: state.root,
      args: run.args,
      env: Array.from(state.environment, ([name, value]) => `${name}=${value}`),
      cwd: state.directory,
      user: state.image.config.User,
      hostname: build.options.hostname ?? '',
      network: network === 'default' ? (build.options.network ?? 'default') : network,
      ...(extraHosts.length > 0 && { extraHosts }),
      security: instruction.security,
      mounts,
      devices: instruction.devices,
      platform: state.platform,
    },
    {
      ...nextStep(work, instruction, shown, isTrigger),
      buildArguments: Object.fromEntries(values),
    },
  );
  const prefix = Array.from(values, ([name, value]) => `${name}=${value}`);
  const counted = prefix.length > 0 ? [`|${prefix.length}`, ...prefix] : [];
  state.record(`RUN ${[...counted, ...run.args].join(' ')} # buildkit`, true);
}
