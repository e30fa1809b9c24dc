import { invalidArgument, isKind, messageOf, notFound } from '#kernel';
import {
  canonicalName,
  isImageConfig,
  isIndex,
  objectOf,
  parseIndex,
  parseManifest,
  parseObject,
  parseReference,
  withDefaultTag,
  type Descriptor,
  type Platform,
} from '#oci';
import type { FetchedManifest, RegistryClient, Repository } from '#registry/client';
import type { RemoteImage, TransferOptions } from './images.ts';
import { checkDocumentType } from './stored-image.ts';

/** Configurations have some kB. */
const maxConfig = 8 << 20;

/** What a registry has under a name: the descriptor, and the platforms that there are. Nothing is kept. */
export async function inspectDistribution(
  registry: RegistryClient,
  text: string,
  { auth = {}, signal }: Pick<TransferOptions, 'auth' | 'signal'>,
): Promise<RemoteImage> {
  const reference = withDefaultTag(parseReference(text));
  const repository = registry.repository(canonicalName(reference), auth, 'pull');
  const { descriptor, bytes } = await fetchTop(repository, objectOf(reference), signal);
  checkDocumentType(descriptor, text);
  if (isIndex(descriptor.mediaType)) {
    const platforms = parseIndex(bytes).manifests.map((entry) => entry.platform);
    return { descriptor, platforms: platforms.filter((each) => each !== undefined) };
  }
  const { config } = parseManifest(bytes);
  if (!isImageConfig(config.mediaType)) return { descriptor, platforms: [] };
  return { descriptor, platforms: [await platformOf(repository, config, signal)] };
}

/** The registry's own words for what is missing; those around them are of pulls. */
async function fetchTop(
  repository: Repository,
  object: string,
  signal: AbortSignal,
): Promise<FetchedManifest> {
  try {
    return await repository.fetchManifest(object, { signal });
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error;
    throw notFound(messageOf(error).replace(/^manifest for \S+ not found: /, ''), error);
  }
}

async function platformOf(
  repository: Repository,
  config: Descriptor,
  signal: AbortSignal,
): Promise<Platform> {
  if (config.size > maxConfig) throw invalidArgument(`the configuration ${config.digest} is too large`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await repository.fetchBlob(config, { signal })) chunks.push(chunk as Uint8Array);
  const fields = parseObject(Buffer.concat(chunks), 'image configuration');
  const textOf = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const [variant, version] = [textOf('variant'), textOf('os.version')];
  return {
    architecture: textOf('architecture'),
    os: textOf('os'),
    ...(version !== '' && { 'os.version': version }),
    ...(variant !== '' && { variant }),
  };
}
