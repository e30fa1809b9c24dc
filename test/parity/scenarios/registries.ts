import {
  LayoutBlobs,
  publishLayout,
  smallImage,
  smallImageId,
  dockerArchive,
  type SmallImage,
} from '../../setup/index.ts';
import { inOrder } from '../image-order.ts';
import type { Scenario } from '../scenario.ts';
import type { JsonRecord, Session } from '../session.ts';

/** Of a version's own, since engines remember layers. */
const imageOf = ({ version }: Session): SmallImage =>
  smallImage(
    [
      [{ name: 'etc/base', content: `base of ${version}\n` }],
      [{ name: 'second', content: `second of ${version}\n` }],
    ],
    { settings: { Labels: { parity: 'registry' }, Cmd: ['x'] } },
  );

const foreignOf = ({ version }: Session): SmallImage =>
  smallImage([[{ name: 'arm', content: `arm of ${version}\n` }]], {
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  });

/** How far each layer has come is nobody's promise; the other lines are, in their order. */
const withoutLayers = (body: unknown): unknown => {
  const lines = linesOf(body);
  if (!lines) return body;
  const ofLayers = new Set([
    'Waiting',
    'Downloading',
    'Verifying Checksum',
    'Extracting',
    'Preparing',
    'Pushing',
  ]);
  const kept = lines.map(withoutSize).filter(({ status }) => !ofLayers.has(String(status)));
  const bars = kept.map((line) =>
    Object.fromEntries(Object.entries(line).filter(([name]) => !name.startsWith('progress'))),
  );
  const layers = bars.filter(
    ({ id, status }) => id !== undefined && !String(status).startsWith('Pulling from'),
  );
  const sorted = layers.map((line) => JSON.stringify(line)).sort();
  return { lines: bars.filter((line) => !layers.includes(line)), layers: sorted };
};

/** Compressed layers and what they are mounted from are the engine's choice. */
function withoutSize(line: JsonRecord): JsonRecord {
  const { status, aux } = line;
  if (aux !== undefined) return { ...line, aux: { ...(aux as JsonRecord), Size: '<bytes>' } };
  if (typeof status !== 'string') return line;
  const known = status.replace(/size: \d+$/, 'size: <bytes>');
  return { ...line, status: known.replace(/^Mounted from .*/, 'Mounted from <repository>') };
}

function linesOf(body: unknown): readonly JsonRecord[] | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if ('lines' in body) return body.lines as readonly JsonRecord[];
  return 'message' in body ? undefined : [body as JsonRecord];
}

async function load(engine: Session, tags: readonly string[]): Promise<void> {
  const image = imageOf(engine);
  engine.name(smallImageId(image).slice(7), 'image');
  await engine.quiet('POST', '/images/load?quiet=1', dockerArchive([{ image, tags }]));
}

const auth = { 'X-Registry-Auth': Buffer.from('{}').toString('base64url') };

const push: Scenario = {
  operation: 'ImagePush',
  run: async (engine) => {
    const { registry } = engine;
    const repository = `${registry}/push/v${engine.version}`;
    const at = async (step: string, name: string, query = ''): Promise<unknown> =>
      engine.ask(step, 'POST', `/images/${name}/push${query}`, { headers: auth, pick: withoutLayers });
    await load(engine, [`${repository}:1`, `${repository}:2`, `${registry}/other/v${engine.version}:1`]);
    await at('one that is missing', `${registry}/nope`, '?tag=1');
    await at('a tag that is missing', repository, '?tag=nope');
    await at('a tag', repository, '?tag=1');
    await at('the same again', repository, '?tag=1');
    await at('all tags', repository);
    await at('layers that another repository has', `${registry}/other/v${engine.version}`, '?tag=1');
    await at('a name that is none', `${registry}/Nope`, '?tag=1');
    await at('a registry that does not answer', '127.0.0.1:1/x', '?tag=1');
    const platform = encodeURIComponent('{"os":"linux","architecture":"s390x"}');
    await at('another platform', repository, `?tag=1&platform=${platform}`);
    await engine.ask('its digests', 'GET', `/images/${repository}:1/json`, {
      pick: (body) => (body as JsonRecord)['RepoDigests'],
    });
    await engine.events('events', ['image']);
  },
};

const pull: Scenario = {
  operation: 'ImagePull',
  run: async (engine) => {
    const { registry } = engine;
    const [image, foreign] = [imageOf(engine), foreignOf(engine)];
    const name = `pull/v${engine.version}`;
    const layout = new LayoutBlobs();
    const single = layout.manifest(image);
    await publishLayout(registry, name, '1', layout, single);
    await publishLayout(registry, name, '2', layout, single);
    const many = new LayoutBlobs();
    await publishLayout(registry, name, 'many', many, many.index([foreign, image], { attest: true }));
    const alien = new LayoutBlobs();
    await publishLayout(registry, name, 'alien', alien, alien.index([foreign]));
    engine.name(smallImageId(image).slice(7), 'image');
    engine.name(smallImageId(foreign).slice(7), 'foreign');
    const at = async (step: string, query: string): Promise<unknown> =>
      engine.ask(step, 'POST', `/images/create?fromImage=${registry}/${query}`, { pick: withoutLayers });
    const seen = async (step: string, tag: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/images/${registry}/${name}:${tag}/json`);
    await at('a tag', `${name}&tag=1`);
    await seen('a tag, seen', '1');
    await at('the same again', `${name}&tag=1`);
    await at('the same by another tag', `${name}&tag=2`);
    await at('by digest', `${name}&tag=${single.digest}`);
    await at('of several platforms', `${name}&tag=many`);
    await seen('of several platforms, seen', 'many');
    await at('a platform', `${name}&tag=many&platform=linux/arm64`);
    await seen('a platform, seen', 'many');
    await at('a platform that there is not', `${name}&tag=many&platform=linux/s390x`);
    await at('only for other platforms', `${name}&tag=alien`);
    await at('a tag that is missing', `${name}&tag=nope`);
    await at('a repository that is missing', 'nope/nope&tag=1');
    await at('a digest that is missing', `${name}&tag=sha256:${'0'.repeat(64)}`);
    await engine.ask('what is here', 'GET', '/images/json', {
      pick: (body) =>
        inOrder(
          (body as readonly JsonRecord[]).map(({ Id, RepoTags, RepoDigests }) => ({
            Id,
            RepoTags,
            RepoDigests,
          })),
        ),
    });
    await engine.events('events', ['image']);
  },
};

const distribution: Scenario = {
  operation: 'DistributionInspect',
  differences: [
    {
      step: 'an OCI manifest',
      path: 'body.Platforms',
      cause: 'the platform is told for every manifest; the reference looks into schema 2 ones only',
    },
  ],
  run: async (engine) => {
    const { registry } = engine;
    const [image, foreign] = [imageOf(engine), foreignOf(engine)];
    const name = `inspect/v${engine.version}`;
    const layout = new LayoutBlobs();
    const single = layout.manifest(image, { docker: true });
    const open = new LayoutBlobs();
    await publishLayout(registry, name, 'oci', open, open.manifest(image));
    await publishLayout(registry, name, '1', layout, single);
    const many = new LayoutBlobs();
    await publishLayout(registry, name, 'many', many, many.index([foreign, image]));
    const at = async (step: string, rest: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/distribution/${rest}/json`);
    await at('a tag', `${registry}/${name}:1`);
    await at('a digest', `${registry}/${name}@${single.digest}`);
    await at('an OCI manifest', `${registry}/${name}:oci`);
    await at('of several platforms', `${registry}/${name}:many`);
    await at('the tag that is usual', `${registry}/${name}`);
    await at('a tag that is missing', `${registry}/${name}:nope`);
    await at('a repository that is missing', `${registry}/nope`);
    await at('a name that is none', `${registry}/Nope`);
    await at('a registry that does not answer', '127.0.0.1:1/x');
  },
};

const search: Scenario = {
  operation: 'ImageSearch',
  run: async (engine) => {
    const at = async (step: string, query: string): Promise<unknown> =>
      engine.ask(step, 'GET', `/images/search?${query}`);
    const filters = (value: object): string => encodeURIComponent(JSON.stringify(value));
    await at('too many', 'term=x&limit=101');
    await at('no number', 'term=x&limit=many');
    await at('a filter that there is not', `term=x&filters=${filters({ nope: ['1'] })}`);
    await at('no number of stars', `term=x&filters=${filters({ stars: ['many'] })}`);
    await at('neither official nor not', `term=x&filters=${filters({ 'is-official': ['maybe'] })}`);
    await at('broken filters', 'term=x&filters=x');
    await at('with a scheme', 'term=http://x');
  },
};

/** One for each operation of images that needs a registry. */
export const registryScenarios: readonly Scenario[] = [push, pull, distribution, search];
