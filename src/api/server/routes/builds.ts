import { invalidArgument, unimplemented } from '#kernel';
import {
  BaseImageFinder,
  ImageExporter,
  leakWarning,
  noEntitlements,
  plainExport,
  type BuildKit,
  type Builds,
  type CacheRequest,
  type PlanOptions,
} from '#build';
import { parsePlatform } from '#oci';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { buildLimitsOf } from './build-limits.ts';
import { listOf, mapOf } from './build-query.ts';
import { BuildStream } from './build-stream.ts';
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
