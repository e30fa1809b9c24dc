import { basename, join } from 'node:path';
import { messageOf } from '#kernel';
import { ConnectError } from '#client';
import type { Command } from './command.ts';
import { ExitStatus } from './command.ts';
import { ConfigFile } from './config/config-file.ts';
import { chooseEndpoint } from './config/endpoint.ts';
import type { Context } from './context.ts';
import { FlagError, HelpWanted, bool, parseFlags, string } from './flags/index.ts';
import type { Values } from './flags/index.ts';
import { makeEngine } from './engine.ts';
import type { Output } from './output.ts';
import { BrokenPipe } from './output.ts';
import type { Terminal } from './terminal/terminal.ts';
import type { Entry } from './entry.ts';
import { root } from './tree.ts';
import { programVersion } from './program-version.ts';

/** The world of one run of the program; tests bring their own. */
export interface Surroundings {
  readonly argv: readonly string[];
  /** The path that the program was called by. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  readonly terminal: Terminal;
  now(): number;
}

const globals = {
  config: string('Folder of the configuration files'),
  context: string('Docker context to use; counts more than DOCKER_HOST', { short: 'c' }),
  debug: bool('Print more about failures', { short: 'D' }),
  host: string('Engine to talk to', { short: 'H' }),
  'log-level': string('Least level of messages ("debug", "info", "warn", "error", "fatal")', {
    short: 'l',
    initial: 'info',
  }),
  tls: bool('Use TLS; --tlsverify implies it'),
  tlscacert: string('Certificate authority to trust, a PEM file'),
  tlscert: string('Certificate of this client, a PEM file'),
  tlskey: string('Key of this client, a PEM file'),
  tlsverify: bool("Use TLS and check the engine's certificate"),
  version: bool('Print the version and quit', { short: 'v' }),
};

/** Runs the command line and returns the program's exit code. */
export async function runProgram(world: Surroundings): Promise<number> {
  const program = basename(world.name).startsWith('docker') ? 'docker' : 'wharf';
  let helpPath = program;
  try {
    const parsed = parseFlags(globals, world.argv, { interspersed: false });
    if (parsed.values.version) {
      world.out.write(`Wharf version ${programVersion}\n`);
      return 0;
    }
    const found = find(program, parsed.args);
    helpPath = found.path;
    if (!found.command) return await showGroup(world, program, found);
    return await runCommand(world, program, found.path, found.command, found.rest, parsed.values);
  } catch (error) {
    return await fail(world, program, helpPath, error);
  }
}

interface Found {
  readonly path: string;
  readonly entry: Entry;
  readonly command?: () => Promise<{ readonly command: Command }>;
  readonly rest: readonly string[];
}

function find(program: string, args: readonly string[]): Found {
  let entry = root;
  const path = [program];
  const rest = [...args];
  if (rest[0] === 'help') {
    rest.shift();
    rest.push('--help');
  }
  while (entry.entries) {
    const word = rest[0];
    if (word === undefined || word.startsWith('-')) break;
    const next = Object.hasOwn(entry.entries, word) ? entry.entries[word] : undefined;
    if (!next) throw unknownCommand(path, word, entry);
    rest.shift();
    path.push(next.aliasOf ?? word);
    entry = next;
  }
  return { path: path.join(' '), entry, rest, ...(entry.load && { command: entry.load }) };
}

function unknownCommand(path: readonly string[], word: string, entry: Entry): ExitStatus {
  const here = path.join(' ');
  const usage = path.length > 1 ? `Usage:  ${here}\n\n` : '';
  const near = nearest(word, Object.keys(entry.entries ?? {}));
  const hint = near === undefined ? '' : `Did you mean '${here} ${near}'?\n\n`;
  return new ExitStatus(
    1,
    `${path[0] ?? ''}: unknown command: ${here} ${word}\n\n${usage}${hint}Run '${here} --help' for more information`,
  );
}

function nearest(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: distance(word, name) }))
    .filter(({ distance: far }) => far <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const widthOf = (world: Surroundings): number =>
  world.terminal.stdinIsTerminal ? (world.terminal.size()?.columns ?? 80) : 80;

async function showGroup(world: Surroundings, program: string, found: Found): Promise<number> {
  const { groupHelp, programHelp } = await import('./usage.ts');
  const flag = found.rest[0];
  if (flag !== undefined && flag !== '--help' && flag !== '-h') {
    parseFlags({}, found.rest);
  }
  const text =
    found.entry === root ? programHelp(program, globals, widthOf(world)) : groupHelp(found.path, found.entry);
  (flag === undefined ? world.err : world.out).write(text);
  return 0;
}

async function runCommand(
  world: Surroundings,
  program: string,
  path: string,
  load: () => Promise<{ readonly command: Command }>,
  argv: readonly string[],
  options: Values<typeof globals>,
): Promise<number> {
  const { command } = await load();
  try {
    const parsed = parseFlags(command.flags, argv, { interspersed: command.stopsAtArgument !== true });
    // On standard output, as docker has it.
    for (const warning of parsed.warnings) world.out.write(`${warning}\n`);
    checkArguments(program, path, command, parsed.args);
    const context = makeContext(world, program, path, options);
    await command.run(context, { flags: parsed.values, changed: parsed.changed, args: parsed.args });
    return 0;
  } catch (error) {
    if (error instanceof HelpWanted) {
      const { commandHelp } = await import('./usage.ts');
      world.out.write(commandHelp(program, path, command, widthOf(world)));
      return 0;
    }
    if (error instanceof FlagError) {
      const { usageLine } = await import('./usage.ts');
      world.err.write(
        `${error.message}\n\n${usageLine(path, command)}\n\nRun '${path} --help' for more information\n`,
      );
      return 125;
    }
    throw error;
  }
}

function checkArguments(program: string, path: string, command: Command, args: readonly string[]): void {
  const { least, most } = command.arguments;
  const count = args.length;
  if (count >= least && (count <= most || command.arguments.extends?.(args))) return;
  const plural = (number: number): string => `${number} argument${number === 1 ? '' : 's'}`;
  const [wants, verb] =
    most === 0
      ? ['accepts no arguments', 'Run']
      : least === most
        ? [`requires ${plural(least)}`, 'Run']
        : count < least && most === Infinity
          ? [`requires at least ${plural(least)}`, 'See']
          : least === 0
            ? [`requires at most ${plural(most)}`, 'See']
            : [`requires at least ${least} and at most ${plural(most)}`, 'See'];
  const forms = [command.synopsis, ...(command.synopses ?? [])].map((form) => `${path} ${form}`.trimEnd());
  throw new ExitStatus(
    1,
    `${program}: '${path}' ${wants}\n\nUsage:  ${forms.join('\n\t')}\n\n${verb} '${path} --help' for more information`,
  );
}

function makeContext(
  world: Surroundings,
  program: string,
  path: string,
  options: Values<typeof globals>,
): Context {
  const { env, out, err, terminal } = world;
  const home = env['HOME'] ?? '/root';
  const folder = options.config || env['DOCKER_CONFIG'] || join(home, '.docker');
  const config = new ConfigFile(folder, (message) => err.write(message));
  let chosen: ReturnType<typeof chooseEndpoint> | undefined;
  const tls = {
    tls: options.tls,
    tlsVerify: options.tlsverify,
    ...(options.tlscacert !== '' && { tlsCaCert: options.tlscacert }),
    ...(options.tlscert !== '' && { tlsCert: options.tlscert }),
    ...(options.tlskey !== '' && { tlsKey: options.tlskey }),
  };
  const choose = (): ReturnType<typeof chooseEndpoint> =>
    (chosen ??= chooseEndpoint(
      {
        ...(options.host !== '' && { host: options.host }),
        ...(options.context !== '' && { context: options.context }),
        ...tls,
      },
      env,
      config,
    ));
  let engine: Context['engine'] | undefined;
  return {
    program,
    path,
    env,
    out,
    err,
    terminal,
    config,
    now: () => world.now(),
    get engine() {
      return (engine ??= makeEngine(choose(), config, env, err));
    },
    connect: (host) => makeEngine(chooseEndpoint({ host, ...tls }, env, config), config, env, err),
    get contextName() {
      return choose().contextName;
    },
  };
}

async function fail(world: Surroundings, program: string, path: string, error: unknown): Promise<number> {
  if (error instanceof BrokenPipe) return 141;
  if (error instanceof FlagError || error instanceof HelpWanted) {
    if (error instanceof HelpWanted)
      return showGroup(world, program, { path: program, entry: root, rest: [] });
    world.err.write(
      `${error.message}\n\nUsage:  ${path} [OPTIONS] COMMAND [ARG...]\n\nRun '${path} --help' for more information\n`,
    );
    return 125;
  }
  if (error instanceof ExitStatus) {
    if (error.message !== '') world.err.write(`${error.message}\n`);
    if (error.pointsToHelp) world.err.write(`\nRun '${path} --help' for more information\n`);
    return error.code;
  }
  world.err.write(`${messageOf(error)}\n`);
  if (!(error instanceof ConnectError) && world.env['WHARF_TRACE'] && error instanceof Error) {
    world.err.write(`${error.stack ?? ''}\n`);
  }
  return 1;
}
