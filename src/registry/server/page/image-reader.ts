import type { ContentStore } from '#content';
import { isIndex, isManifest, parseDigest, parseIndex, parseManifest } from '#oci';
import type { Descriptor, Digest, Index, Manifest, Platform } from '#oci';
import type { ManifestEntry } from '../registry-store.ts';

/** A line of an image's history. */
export interface HistoryStep {
  readonly command: string;
  readonly comment: string;
  readonly created: string;
  /** The layer that it made, if any. */
  readonly layer: Descriptor | undefined;
}

/** What an image is started with, in the words of its configuration. */
export interface ImageDetails {
  readonly kind: 'image';
  readonly platform: string;
  readonly created: string;
  readonly author: string;
  readonly layers: readonly Descriptor[];
  readonly steps: readonly HistoryStep[];
  /** Name and values of what the configuration sets. */
  readonly settings: readonly (readonly [string, readonly string[]])[];
  readonly labels: readonly (readonly [string, string])[];
}

export interface IndexDetails {
  readonly kind: 'index';
  readonly children: readonly ChildDetails[];
}

export interface ChildDetails {
  readonly digest: Digest;
  readonly platform: string;
  /** Of an attestation: what it is about. */
  readonly about: string | undefined;
  readonly mediaType: string;
}

/** Something else that is kept as a manifest: a signature, a chart, a list of packages. */
export interface ArtifactDetails {
  readonly kind: 'artifact';
  readonly type: string;
  readonly files: readonly Descriptor[];
}

export interface ManifestDetails {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subject: Digest | undefined;
  readonly annotations: readonly (readonly [string, string])[];
  /** The document as it is kept. */
  readonly text: string;
  readonly content: ImageDetails | IndexDetails | ArtifactDetails;
}

const configTypes = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];

/** Reads manifests and configurations for people; what is wrong in them is shown as nothing. */
export class ImageReader {
  readonly #content: ContentStore;
  /** Platforms of manifests never change. */
  readonly #platforms = new Map<Digest, readonly string[]>();

  constructor(content: ContentStore) {
    this.#content = content;
  }

  /** Throws where the document is not here or none of its type. */
  async read({ digest, mediaType, subject }: ManifestEntry): Promise<ManifestDetails> {
    const bytes = await this.#content.read(digest);
    const text = Buffer.from(bytes).toString();
    const document = isIndex(mediaType) ? parseIndex(bytes) : parseManifest(bytes);
    const annotations = Object.entries(document.annotations ?? {});
    return { digest, mediaType, subject, annotations, text, content: await this.#contentOf(document) };
  }

  /** `linux/amd64`, and so on; nothing for what is no image. */
  async platforms(entry: ManifestEntry): Promise<readonly string[]> {
    if (!isIndex(entry.mediaType) && !isManifest(entry.mediaType)) return [];
    const known = this.#platforms.get(entry.digest);
    if (known) return known;
    const platforms = await this.#findPlatforms(entry).catch(() => undefined);
    if (!platforms) return [];
    if (this.#platforms.size >= 10_000) this.#platforms.clear();
    this.#platforms.set(entry.digest, platforms);
    return platforms;
  }

  async #findPlatforms(entry: ManifestEntry): Promise<readonly string[]> {
    const { content } = await this.read(entry);
    if (content.kind === 'image') return [content.platform];
    if (content.kind === 'artifact') return [];
    return content.children.filter(({ about }) => about === undefined).map(({ platform }) => platform);
  }

  async #contentOf(document: Manifest | Index): Promise<ManifestDetails['content']> {
    if ('manifests' in document) return { kind: 'index', children: document.manifests.map(childOf) };
    const { config, layers, artifactType } = document;
    if (!configTypes.includes(config.mediaType)) {
      return { kind: 'artifact', type: artifactType ?? config.mediaType, files: layers };
    }
    return imageOf(await this.#json(config.digest), layers);
  }

  /** What stands in a configuration is anybody's; it may be too large or not here. */
  async #json(digest: Digest): Promise<unknown> {
    try {
      return JSON.parse(Buffer.from(await this.#content.read(digest)).toString());
    } catch {
      return {};
    }
  }
}

function childOf({ digest, mediaType, platform, annotations }: Descriptor): ChildDetails {
  const about = annotations?.['vnd.docker.reference.digest'];
  return { digest: parseDigest(digest), mediaType, platform: platformName(platform), about };
}

const platformName = (platform: Platform | undefined): string =>
  platform ? [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/') : 'unknown';

function imageOf(config: unknown, layers: readonly Descriptor[]): ImageDetails {
  const settings = field(config, 'config');
  const rest = [...layers];
  const steps = list(config, 'history').map((step): HistoryStep => ({
    command: string(step, 'created_by'),
    comment: string(step, 'comment'),
    created: string(step, 'created'),
    layer: field(step, 'empty_layer') === true ? undefined : rest.shift(),
  }));
  // Histories may be missing or too short.
  const unexplained = rest.map((layer) => ({ command: '', comment: '', created: '', layer }));
  const names = ['os', 'architecture', 'variant'].map((name) => string(config, name));
  return {
    kind: 'image',
    platform: names.filter((name) => name !== '').join('/'),
    created: string(config, 'created'),
    author: string(config, 'author'),
    layers,
    steps: [...steps, ...unexplained],
    settings: settingsOf(settings),
    labels: pairs(settings, 'Labels'),
  };
}

function settingsOf(config: unknown): ImageDetails['settings'] {
  const text = (name: string): readonly string[] => [string(config, name)].filter((value) => value !== '');
  const keys = (name: string): readonly string[] => Object.keys(object(field(config, name)));
  const words = (name: string): readonly string[] => {
    const line = strings(config, name).map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word),
    );
    return line.length === 0 ? [] : [line.join(' ')];
  };
  const all: ImageDetails['settings'] = [
    ['Entrypoint', words('Entrypoint')],
    ['Command', words('Cmd')],
    ['User', text('User')],
    ['Working directory', text('WorkingDir')],
    ['Ports', keys('ExposedPorts')],
    ['Volumes', keys('Volumes')],
    ['Environment', strings(config, 'Env')],
    ['Stop signal', text('StopSignal')],
  ];
  return all.filter(([, values]) => values.length > 0);
}

const object = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
const field = (value: unknown, name: string): unknown => Reflect.get(object(value), name);

function string(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}

const strings = (value: unknown, name: string): readonly string[] =>
  list(value, name).filter((item) => typeof item === 'string');

const pairs = (value: unknown, name: string): readonly (readonly [string, string])[] =>
  Object.entries(object(field(value, name))).map(([key, text]) => [key, String(text)] as const);
