import { randomBytes } from 'node:crypto';
import { digestOf, mediaTypes } from '#oci';
import { Material } from './material.ts';

const sbom = 'application/vnd.example.sbom';
const signature = 'application/vnd.example.signature';
const unknownFields = {
  'org.example.text': 'text',
  'org.example.object': { list: [1, 2.5, null], nested: { true: true } },
};

function referrersOf(material: Material, subject: ReturnType<Material['image']>): void {
  material.artifact({ type: sbom, subject, annotations: { 'org.example.format': 'json' }, tags: ['sbom'] });
  material.artifact({ type: signature, subject, annotations: { by: 'ann' } });
  material.artifact({ type: signature, subject, annotations: { by: 'bob' } });
  // Without an artifactType of its own it goes by its config's media type.
  material.image({ layers: 1, fields: { subject, annotations: { kind: 'image' } } });
}

const fill: Readonly<Record<string, (material: Material) => void>> = {
  'an image': (material) => material.image({ tags: ['image'] }),
  'an image under several tags': (material) =>
    material.image({ tags: ['Upper', 'lower', '_x', 'a'.repeat(128), '1.2.3-rc_4'] }),
  'an image whose layers are not compressed': (material) =>
    material.image({ layerType: mediaTypes.ociLayer, tags: ['tar'] }),
  'an image of layers that lie elsewhere': (material) =>
    material.image({
      layerType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      isElsewhere: true,
      tags: ['foreign'],
    }),
  'an image without layers': (material) => material.image({ layers: 0, tags: ['no-layers'] }),
  'an image with fields that nobody knows': (material) => {
    const image = material.image({ fields: unknownFields, configFields: unknownFields });
    material.index([{ ...image, ...unknownFields }], ['custom'], unknownFields);
  },
  'an image whose descriptors carry their data': (material) =>
    material.image({ hasData: true, layers: 1, tags: ['data'] }),
  'an image with a manifest of nearly 4 MiB': (material) =>
    material.image({
      fields: { annotations: { 'org.example.filling': 'x'.repeat((4 << 20) - 4096) } },
      tags: ['large'],
    }),
  'an index': (material) => {
    const platforms = ['amd64', 'arm64'].map((architecture) => ({
      ...material.image(),
      platform: { architecture, os: 'linux' },
    }));
    material.index(platforms, ['index']);
  },
  'an index of indexes': (material) => {
    const inner = [material.index([material.image(), material.image()]), material.index([material.image()])];
    material.index([...inner, material.image()], ['nested']);
  },
  'an index of nothing': (material) => material.index([], ['empty-index']),
  'an artifact': (material) => material.artifact({ type: sbom, tags: ['artifact'] }),
  'an artifact without layers': (material) => material.artifact({ type: sbom, layers: 0, tags: ['bare'] }),
  'an index of artifacts': (material) =>
    material.index(
      [material.artifact({ type: sbom }), material.artifact({ type: signature })],
      ['artifacts'],
      {
        artifactType: 'application/vnd.example.collection',
      },
    ),
  'an image and what refers to it': (material) =>
    referrersOf(material, material.image({ tags: ['subject'] })),
  'an index and what refers to it': (material) => {
    const subject = material.index([material.image(), material.image()], ['subject-index']);
    referrersOf(material, subject);
    const about = material.image({ layers: 1 });
    material.index([about], ['about'], { subject, artifactType: sbom, annotations: { kind: 'index' } });
    material.index([about], [], { subject, annotations: { kind: 'index without a type' } });
  },
  'an artifact about something that is not there': (material) => {
    const bytes = randomBytes(100);
    const subject = { mediaType: mediaTypes.ociManifest, size: bytes.length };
    const digest = digestOf(bytes, material.algorithm);
    material.artifact({ type: sbom, subject: { ...subject, digest }, tags: ['early'] });
  },
};

/** Everything a repository may hold, by name; random, so that one run never finds what another has left. */
export function makeMaterials(): ReadonlyMap<string, Material> {
  const all = Object.entries(fill).map(([name, into]) => {
    const material = new Material();
    into(material);
    return [name, material] as const;
  });
  const long = new Material('sha512');
  const image = long.image();
  referrersOf(long, image);
  long.index([image, long.image({ layers: 1 })]);
  return new Map([...all, ['content under sha512', long]]);
}
