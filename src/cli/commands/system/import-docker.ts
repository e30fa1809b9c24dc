import { EngineClient, formatEndpoint, parseHost } from '#client';
import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import { printLine, type Context } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { DataRootSource } from './import-docker/data-root-source.ts';
import { EngineSource } from './import-docker/engine-source.ts';
import { removeHelperImage } from './import-docker/helper-container.ts';
import type { ImportSource } from './import-docker/import-source.ts';
import { takeImages, takeVolumes, type Outcome } from './import-docker/take-over.ts';

export const command = defineCommand({
  synopsis: '(--socket HOST | --data-root FOLDER)',
  summary: 'Take images and volumes over from a Docker engine',
  description:
    'Take images and volumes over from a Docker engine, running or stopped. Nothing is changed there. What is here already stays, so it can be run again to go on or to catch up.',
  arguments: noArguments,
  flags: {
    all: bool('Also images without a name and anonymous volumes'),
    'data-root': string('Data root of a stopped engine, e.g. /var/lib/docker'),
    'no-images': bool('Leave images out'),
    'no-volumes': bool('Leave volumes out'),
    socket: string('A running engine, e.g. unix:///var/run/docker.sock'),
  },
  async run(context, { flags }) {
    await using source = await openSource(context, flags.socket, flags['data-root']);
    const job = {
      source,
      target: context.engine,
      all: flags.all,
      say: (line: string) => printLine(context.out, line),
    };
    const images = flags['no-images'] ? [] : await takeImages(job);
    const volumes = flags['no-volumes'] ? [] : await takeVolumes(job);
    if (volumes.length > 0 && !volumes.includes('failed')) await removeHelperImage(context.engine);
    printLine(context.out, summary('Images', images));
    printLine(context.out, summary('Volumes', volumes));
    if (flags['data-root'] !== '' && volumes.includes('taken')) {
      printLine(context.out, 'The labels of the volumes stay behind: only a running engine tells them.');
    }
    if ([...images, ...volumes].includes('failed')) throw new ExitStatus(1);
  },
});

async function openSource(context: Context, socket: string, dataRoot: string): Promise<ImportSource> {
  if ((socket === '') === (dataRoot === '')) {
    throw new Error(
      'name the engine to take from: --socket unix:///var/run/docker.sock while it runs, --data-root /var/lib/docker when it is stopped',
    );
  }
  if (dataRoot !== '') return new DataRootSource(dataRoot);
  const endpoint = parseHost(socket.startsWith('/') ? `unix://${socket}` : socket);
  const engine = new EngineClient({ endpoint });
  const id = async (client: EngineClient): Promise<string> =>
    (await client.json<{ ID: string }>({ method: 'GET', path: '/info' })).ID;
  if ((await id(engine)) === (await id(context.engine))) {
    throw new Error(`${formatEndpoint(endpoint)} is this very engine: name the socket of the other one`);
  }
  return new EngineSource(formatEndpoint(endpoint), engine);
}

const words: Readonly<Record<Outcome, string>> = {
  taken: 'taken over',
  present: 'there already',
  kept: 'in conflict with a name here',
  failed: 'failed',
};

function summary(what: string, outcomes: readonly Outcome[]): string {
  const counts = Object.entries(words).flatMap(([outcome, text]) => {
    const count = outcomes.filter((each) => each === outcome).length;
    return count > 0 ? [`${count} ${text}`] : [];
  });
  return `${what}: ${counts.length > 0 ? counts.join(', ') : 'none'}`;
}
