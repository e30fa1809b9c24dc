import { messageOf } from '#kernel';
import { atLeast, defineCommand, ExitStatus } from '../../command.ts';
import { bool, list, string } from '../../flags/index.ts';
import { tabulateWithTabs } from '../../format/tabwriter.ts';

/** Bake has libraries of its own, which other commands do not load. */
const load = async () =>
  Promise.all([import('#bake'), import('../../bake/read-definitions.ts'), import('../../bake/overrides.ts')]);

export const command = defineCommand({
  synopsis: '[OPTIONS] [TARGET...]',
  summary: 'Build from a file',
  aliases: ['bake', 'buildx bake', 'buildx f'],
  arguments: atLeast(0),
  flags: {
    allow: list('Allow what builds may not do by default, and paths that they may use: fs.read=PATH'),
    builder: string('Name of the builder; there is the default one only'),
    call: string('What to do: build, or answer about the Dockerfiles (check, outline, targets)', {
      initial: 'build',
    }),
    check: bool('Check the Dockerfiles only: --call=check'),
    debug: bool('Show more', { short: 'D' }),
    file: list('File with definitions, - for standard input', { short: 'f' }),
    list: string('List targets or variables'),
    'list-targets': bool('List targets', {
      hidden: true,
      deprecated: 'list-targets is deprecated, use list=targets instead',
    }),
    'list-variables': bool('List variables', {
      hidden: true,
      deprecated: 'list-variables is deprecated, use list=variables instead',
    }),
    load: bool('Put the results into the image store: --set=*.output=type=docker, where that makes sense'),
    'metadata-file': string('File to write what is known of the results to, as JSON'),
    'no-cache': bool('Do every step anew'),
    print: bool('Show the definitions that would be built'),
    progress: string('How progress is shown: auto, plain, tty, rawjson, quiet or none', { initial: 'auto' }),
    provenance: string('Attest where images come from: --set=*.attest=type=provenance'),
    pull: bool('Ask registries for newer base images'),
    push: bool('Send the results to their registries: --set=*.output=type=registry, where that makes sense'),
    sbom: string('Attest what images are made of: --set=*.attest=type=sbom'),
    set: list('Change a value of targets: targetpattern.key=value'),
  },
  async run(context, { flags, changed, args }) {
    const [bake, { bakeWorld, readBakeFiles }, { overridesOf }] = await load();
    if (flags.print && flags.list !== '') fail(new Error('--print and --list are mutually exclusive'));
    refuse(flags.builder, args);
    try {
      const world = bakeWorld(context);
      const files = await readBakeFiles(context, flags.file);
      const wanted =
        flags.list || (flags['list-targets'] ? 'targets' : flags['list-variables'] ? 'variables' : '');
      if (wanted !== '') {
        const request = bake.parseList(wanted);
        const text = bake.listDefinitions(bake.readBakeFiles(files, world), request);
        context.out.write(`${request.format === 'table' ? tabulateWithTabs(text) : text}\n`);
        return;
      }
      const plan = bake.planBake({ files, names: args, overrides: overridesOf(flags, changed) }, world);
      const { bakeJobs, bakeTargets } = await import('../../bake/bake-targets.ts');
      const jobs = bakeJobs(plan.targets, context.env);
      if (flags.print) context.out.write(`${bake.printTargets(plan.targets, plan.groups)}\n`);
      else await bakeTargets(context, { ...plan, jobs }, flags, changed);
    } catch (error) {
      fail(error, bake.describePlace(error));
    }
  },
});

function fail(error: unknown, place = ''): never {
  throw error instanceof ExitStatus
    ? error
    : new ExitStatus(1, `${place}ERROR: ${messageOf(error)}`, { cause: error });
}

function refuse(builder: string, args: readonly string[]): void {
  if (builder !== '' && builder !== 'default') fail(new Error(`no builder ${JSON.stringify(builder)} found`));
  if (args.some((name) => /^(https?|git|ssh):\/\//.test(name))) {
    fail(new Error('definitions at an address are not supported: fetch them, and name the file with --file'));
  }
}
