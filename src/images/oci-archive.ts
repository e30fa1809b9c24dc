import type { ContentStore } from '#content';
import { invalidArgument } from '#kernel';
import {
  hexOf,
  isIndex,
  isManifest,
  parseIndex,
  parseManifest,
  parseReference,
  withDefaultTag,
  algorithmOf,
  type Descriptor,
  type Digest,
  type Reference,
} from '#oci';
import type { ArchivedImage } from './docker-archive.ts';
import type { ReceivedArchive } from './received-archive.ts';

const nameAnnotations = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const maxDepth = 3;

const blobPath = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;

/**
 * The images of an OCI layout (image-spec image-layout.md). Every document and layer that it reaches and the archive
 * has becomes a blob. Throws invalidArgument for a blob that is not what its name says.
 */
export async function readOciArchive(
  archive: ReceivedArchive,
  content: ContentStore,
): Promise<readonly ArchivedImage[]> {
  const { manifests } = parseIndex(await archive.read('index.json'));
  const images = new Map<Digest, { target: Descriptor; references: Reference[] }>();
  for (const entry of manifests) {
    // Attestations stand beside their image and are none themselves.
    if (entry.platform?.os === 'unknown' || !(isManifest(entry.mediaType) || isIndex(entry.mediaType)))
      continue;
    await takeDocument(archive, content, entry, 0);
    const { mediaType, digest, size } = entry;
    const target: Descriptor = { mediaType, digest, size };
    const image = images.get(entry.digest) ?? { target, references: [] as Reference[] };
    images.set(entry.digest, image);
    const reference = findReference(entry);
    if (reference) image.references.push(reference);
  }
  return [...images.values()].map(({ target, references }) => ({
    references,
    source: { kind: 'target', target },
  }));
}

/** The name that an entry carries; a bare tag, as some tools write, names no repository and so nothing. */
function findReference({ annotations }: Descriptor): Reference | undefined {
  const [name] = nameAnnotations.map((key) => annotations?.[key]).filter((value) => value !== undefined);
  if (name === undefined || !/[:/]/.test(name)) return undefined;
  return withDefaultTag(parseReference(name));
}

async function takeDocument(
  archive: ReceivedArchive,
  content: ContentStore,
  descriptor: Descriptor,
  depth: number,
): Promise<void> {
  if (depth > maxDepth) throw invalidArgument('invalid archive: its indexes are nested too deeply');
  await takeBlob(archive, descriptor);
  const bytes = await content.read(descriptor.digest);
  if (isIndex(descriptor.mediaType)) {
    for (const entry of parseIndex(bytes).manifests) {
      // Other platforms' images are often left out.
      if (archive.has(blobPath(entry.digest))) await takeDocument(archive, content, entry, depth + 1);
    }
  } else if (isManifest(descriptor.mediaType)) {
    const manifest = parseManifest(bytes);
    for (const blob of [manifest.config, ...manifest.layers]) {
      if (archive.has(blobPath(blob.digest))) await takeBlob(archive, blob);
    }
  }
}

async function takeBlob(archive: ReceivedArchive, { digest, size }: Descriptor): Promise<void> {
  const found = await archive.blob(blobPath(digest));
  if (found.digest !== digest || found.size !== size) {
    throw invalidArgument(
      `invalid archive: ${blobPath(digest)} is ${found.digest} with ${found.size} bytes, not what its name says`,
    );
  }
}
