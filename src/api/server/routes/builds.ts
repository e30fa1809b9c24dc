import type { ProgressMessage } from '#api/types';
import { invalidArgument, unimplemented } from '#kernel';
import {
  BaseImageFinder,
  failedCommand,
  ImageExporter,
  leakWarning,
  noEntitlements,
  plainExport,
  type BuildKit,
  type BuildObserver,
  type BuildPlans,
  type BuildWarning,
  type Builds,
  type CacheRequest,
  type PlanOptions,
  type VertexId,
} from '#build';
import type { ProgressEvent } from '#images';
import { parsePlatform } from '#oci';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { viewFailure, viewProgress } from '../views/progress.ts';
import { buildLimitsOf } from './build-limits.ts';
import { listOf, mapOf } from './build-query.ts';
import { cancelPostedBuild, runPostedBuild } from './posted-builds.ts';
import { registryConfig } from './registry-config.ts';

type BuildBackends = Pick<Backends, 'images'>;

/** Builds as clients without BuildKit ask for them: a tar of the context, and a stream of what is done. */
export function buildRoutes(
  { images }: BuildBackends,
  builds: Builds,
  buildKit: BuildKit | undefined,
): readonly Route[] {
  const bases = new BaseImageFinder(images);
  return [
    {
      method: 'POST',
      path: '/build',
      operation: 'ImageBuild',
      handle: async (exchange) => {
        const version = exchange.query.text('version');
        if (version === '2' && buildKit) await runPostedBuild(buildKit, exchange);
        else if (['', '1'].includes(version)) await build(bases, builds, exchange);
        else throw invalidArgument(`invalid version ${JSON.stringify(version)}`);
        return undefined;
      },
    },
    {
      method: 'POST',
      path: '/build/cancel',
      operation: 'BuildCancel',
      handle: (exchange) => {
        if (buildKit) cancelPostedBuild(buildKit, exchange);
        return Promise.resolve({ status: 200 });
      },
    },
  ];
}

function refuseUnsupported({ query }: Exchange): void {
  if (query.text('outputs') !== '')
    throw unimplemented('outputs other than the image store are not supported yet');
}

function optionsOf(exchange: Exchange): PlanOptions {
  const { query } = exchange;
  const platform = query.text('platform');
  const network = query.text('networkmode');
  const extraHosts = query.all('extrahosts').filter((host) => host !== '');
  return {
    target: query.text('target'),
    buildArguments: mapOf(exchange, 'buildargs'),
    labels: mapOf(exchange, 'labels'),
    ...(platform !== '' && { platform: parsePlatform(platform) }),
    ...(query.boolean('nocache') && { noCache: 'all' as const }),
    ...(network !== '' && { network }),
    ...(extraHosts.length > 0 && { extraHosts }),
  };
}

async function build(bases: BaseImageFinder, builds: Builds, exchange: Exchange): Promise<void> {
  refuseUnsupported(exchange);
  const { query, signal } = exchange;
  const options = optionsOf(exchange);
  const limits = buildLimitsOf(exchange);
  const path = query.text('dockerfile') || 'Dockerfile';
  const remote = query.text('remote');
  const context =
    remote === ''
      ? await builds.open(exchange.request, path, { signal })
      : await builds.openRemote(remote, path, { signal });
  const credentials = registryConfig(exchange);
  const stream = new BuildStream(exchange, query.boolean('q'));
  try {
    const exporter = new ImageExporter(
      plainExport(
        query.all('t').filter((name) => name !== ''),
        { isSquashed: query.boolean('squash') },
      ),
    );
    await builds.build({
      ...{ dockerfile: context.dockerfile, signal, exporters: [exporter] },
      options: { ...options, ignorePatterns: context.ignorePatterns },
      caches: imageCaches(exchange, options.buildArguments?.['BUILDKIT_INLINE_CACHE']),
      base: {
        resolve: (reference, asked) =>
          bases.find(reference, {
            ...asked,
            credentials: (domain) => Promise.resolve(credentials(domain)),
            report: (event) => stream.pulling(event),
          }),
      },
      pull: query.boolean('pull'),
      local: () => Promise.resolve(context.source),
      secret: () => Promise.resolve(undefined),
      agent: () => Promise.resolve(undefined),
      // Who asks for the host's network grants it.
      entitlements: { ...noEntitlements, networkHost: options.network === 'host' },
      limits,
      // Of the same names and file; without a name the file's text is all there is to know it by.
      identity: JSON.stringify([
        path,
        options.target,
        query.text('t') === '' ? context.dockerfile : query.all('t'),
      ]),
      planned: (plans) => stream.plan(plans),
      leaked: (leaks) => stream.warn(leaks.map(leakWarning)),
      // These clients know of no such steps.
      exporting: (_, work) => work(silent),
    });
    stream.succeed(exporter.id ?? '', query.all('t'));
  } catch (error) {
    stream.fail(error);
  }
}

/** Images that say how they were made (`cachefrom`), and whether the new one does. */
function imageCaches(exchange: Exchange, inline = ''): CacheRequest {
  const from = listOf(exchange.query.text('cachefrom'), 'cachefrom').map((image) => ({
    title: `importing cache from ${image}`,
    image,
  }));
  return { from, to: [], isInline: /^(?:1|t|true)$/i.test(inline) };
}

const silent = { begins: () => undefined, did: () => undefined, transferred: () => undefined };

/** A command that failed is told in the words of clients without BuildKit, with its exit code. */
function viewBuildFailure(error: unknown): ProgressMessage {
  const command = failedCommand(error);
  if (command?.exitCode === undefined) return viewFailure(error);
  const { args, exitCode } = command;
  const message = `The command '${args.join(' ')}' returned a non-zero code: ${exitCode}`;
  return { errorDetail: { code: exitCode, message }, error: message };
}

/** A step's lines wait until all steps before it are told. */
interface StepLines {
  readonly number: number;
  readonly lines: string[];
  isDone: boolean;
}

/** The stream of a build: steps one after the other, though they are done at the same time. */
class BuildStream {
  readonly #exchange: Exchange;
  readonly #isQuiet: boolean;
  readonly #steps = new Map<VertexId, StepLines>();
  #told = 0;

  constructor(exchange: Exchange, isQuiet: boolean) {
    this.#exchange = exchange;
    this.#isQuiet = isQuiet;
  }

  /** What is wrong from here on is told in the stream. */
  pulling(event: ProgressEvent): void {
    if (!this.#exchange.response.headersSent) this.#exchange.startStream('application/json');
    if (!this.#isQuiet) this.#write(viewProgress(event));
  }

  plan({ graph }: BuildPlans): BuildObserver {
    if (!this.#exchange.response.headersSent) this.#exchange.startStream('application/json');
    const told = [...graph.vertices].filter(([id]) => graph.steps.get(id)?.instruction !== '');
    for (const [index, [id]] of told.entries()) {
      const text = graph.steps.get(id)?.instruction ?? '';
      const lines = [`Step ${index + 1}/${told.length} : ${text}\n`];
      this.#steps.set(id, { number: index, lines, isDone: false });
    }
    return {
      started: () => undefined,
      output: (id, _, data) => this.#add(id, Buffer.from(data).toString()),
      completed: (id, { cached }) => {
        if (cached) this.#add(id, ' ---> Using cache\n');
        const step = this.#steps.get(id);
        if (step) step.isDone = true;
        this.#tell();
      },
    };
  }

  warn(warnings: readonly BuildWarning[]): void {
    for (const { rule, message, location } of warnings) {
      const text = `[Warning] ${rule.name}: ${message} (line ${location.firstLine})\n`;
      if (!this.#isQuiet) this.#write({ stream: text });
    }
  }

  succeed(id: string, names: readonly string[]): void {
    const short = id.slice('sha256:'.length, 'sha256:'.length + 12);
    if (this.#isQuiet) this.#write({ stream: `${id}\n` });
    else {
      this.#write({ aux: { ID: id } });
      this.#write({ stream: `Successfully built ${short}\n` });
      for (const name of names) this.#write({ stream: `Successfully tagged ${withTag(name)}\n` });
    }
    this.#exchange.response.end();
  }

  /** What is known of the failed step is told first. */
  fail(error: unknown): void {
    if (!this.#exchange.response.headersSent) throw error;
    for (const step of this.#inOrder())
      if (step.number >= this.#told && step.lines.length > 1) this.#flush(step);
    this.#write(viewBuildFailure(error));
    this.#exchange.response.end();
  }

  #add(id: VertexId, text: string): void {
    const step = this.#steps.get(id);
    step?.lines.push(text);
    if (step?.number === this.#told) this.#flush(step);
  }

  #inOrder(): StepLines[] {
    return [...this.#steps.values()].sort((a, b) => a.number - b.number);
  }

  #tell(): void {
    for (const step of this.#inOrder()) {
      if (step.number !== this.#told) continue;
      this.#flush(step);
      if (!step.isDone) return;
      this.#told += 1;
    }
  }

  #flush(step: StepLines): void {
    for (const line of step.lines.splice(0)) if (!this.#isQuiet) this.#write({ stream: line });
  }

  #write(message: object): void {
    this.#exchange.response.write(`${JSON.stringify(message)}\r\n`);
  }
}

const withTag = (name: string): string => (/:[^/]+$/.test(name) ? name : `${name}:latest`);
