import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, parseDigest } from '#oci';
import { attestationManifest, statementText, type Attestation } from './attestation.ts';
import { imagePurl } from './purl.ts';

const said: Attestation = {
  predicateType: 'https://slsa.dev/provenance/v0.2',
  predicate: { builder: { id: '' } },
  fileName: 'provenance.json',
  isInlineOnly: false,
};
const about = parseDigest(`sha256:${'5'.repeat(64)}`);
const amd64 = { os: 'linux', architecture: 'amd64' };

test('attestationManifest() hangs statements at an image as BuildKit does', () => {
  const subject = { name: imagePurl('foo/bar:1', amd64), digest: about };
  const { manifest, config, statements } = attestationManifest([said], about, [subject]);
  const [statement] = statements;
  assert.equal(
    Buffer.from(statement?.data ?? []).toString(),
    '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2",' +
      `"subject":[{"name":"pkg:docker/foo/bar@1?platform=linux%2Famd64","digest":{"sha256":"${'5'.repeat(64)}"}}],` +
      '"predicate":{"builder":{"id":""}}}',
  );
  const digest = digestOf(statement?.data ?? '');
  assert.deepEqual(JSON.parse(Buffer.from(config.data).toString()), {
    ...{ architecture: 'unknown', os: 'unknown', config: {} },
    rootfs: { type: 'layers', diff_ids: [digest] },
  });
  assert.deepEqual(JSON.parse(Buffer.from(manifest.data).toString()), {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config.data),
      size: config.data.length,
    },
    layers: [
      {
        ...{ mediaType: 'application/vnd.in-toto+json', digest, size: statement?.data.length },
        annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' },
      },
    ],
  });
  assert.deepEqual(manifest.descriptor, {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    ...{ digest: digestOf(manifest.data), size: manifest.data.length },
    annotations: {
      'vnd.docker.reference.digest': about,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { architecture: 'unknown', os: 'unknown' },
  });
});

test('statementText() is indented where it is a file', () => {
  const text = statementText(said, [], { indented: true });
  assert.match(text, /^\{\n {2}"_type"/);
  assert.deepEqual((JSON.parse(text) as { subject: unknown }).subject, []);
});

for (const [reference, expected] of [
  ['busybox', 'pkg:docker/busybox@latest?platform=linux%2Famd64'],
  ['localhost:5000/b/busy:1.2', 'pkg:docker/localhost:5000/b/busy@1.2?platform=linux%2Famd64'],
  [`busybox@${about}`, `pkg:docker/busybox?digest=${about}&platform=linux%2Famd64`],
] as const) {
  test(`imagePurl() names ${reference.slice(0, 30)}`, () => {
    assert.equal(imagePurl(reference, amd64), expected);
  });
}
