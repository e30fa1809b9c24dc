import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotationAttributes } from './annotation.ts';
import { attestWord, parseAttestations } from './attestation.ts';
import { parseCache } from './cache.ts';
import { parseCall } from './call.ts';
import { parseOutput } from './output.ts';
import { variables } from './pairs.ts';
import { parseSecrets } from './secret.ts';
import { parseSsh } from './ssh.ts';

test('parseOutput() reads paths and settings', () => {
  assert.deepEqual(parseOutput('out'), { type: 'local', dest: 'out', attrs: {} });
  assert.deepEqual(parseOutput('-'), { type: 'tar', dest: '-', attrs: {} });
  assert.deepEqual(parseOutput('type=image,name=a,"x=b,c"'), {
    type: 'image',
    attrs: { name: 'a', x: 'b,c' },
  });
  assert.throws(() => parseOutput('dest=x'), /type is required for output/);
  assert.throws(() => parseOutput('type=odd'), /unsupported output type "odd"/);
});

test('parseSecrets() finds files and variables', () => {
  const file = import.meta.filename;
  assert.deepEqual(
    [...parseSecrets([`id=a,src=${file}`, 'id=b,env=B', 'type=env,id=c,src=C', 'id=D'], { D: '' })],
    [
      ['a', { file }],
      ['b', { variable: 'B' }],
      ['c', { variable: 'C' }],
      ['D', { variable: 'D' }],
    ],
  );
  assert.throws(() => parseSecrets([`src=${file}`], {}), /secret missing ID/);
  assert.throws(() => parseSecrets(['id=x,src=/none'], {}), /failed to stat \/none/);
  assert.throws(() => parseSecrets(['id=x,odd=1'], {}), /unexpected key 'odd' in 'odd=1'/);
  assert.throws(() => parseSecrets(['x'], {}), /invalid field 'x' must be a key=value pair/);
});

test('variables() take their values from the environment where they have none', () => {
  assert.deepEqual(variables(['A=1', 'B', 'C', 'D='], { B: 'own' }), { A: '1', B: 'own', D: '' });
});

test('parseSsh(), parseCache() and parseCall() read their words', () => {
  assert.deepEqual(parseSsh('default'), { id: 'default', paths: [] });
  assert.deepEqual(parseSsh('x=/a,/b'), { id: 'x', paths: ['/a', '/b'] });
  assert.deepEqual(parseCache('user/app:cache'), { type: 'registry', attrs: { ref: 'user/app:cache' } });
  assert.deepEqual(parseCache('type=gha,scope=p'), { type: 'gha', attrs: { scope: 'p' } });
  assert.deepEqual(parseCache('type=local,src=p'), { type: 'local', attrs: { src: 'p' } });
  assert.equal(parseCall('build'), undefined);
  assert.deepEqual(parseCall('check,format=json'), { name: 'lint', format: 'json', ignoreStatus: false });
});

test('annotationAttributes() put annotations where they belong', () => {
  assert.deepEqual(annotationAttributes(['a=1', 'index,manifest[linux/amd64]:b=c=d', 'urn:x=y']), {
    'annotation.a': '1',
    'annotation-index.b': 'c=d',
    'annotation-manifest[linux/amd64].b': 'c=d',
    'annotation.urn:x': 'y',
  });
  assert.throws(() => annotationAttributes(['odd:x']), /expected key=value/);
});

test('attestations are what was said last of them', () => {
  assert.equal(attestWord('sbom', 'true'), 'type=sbom,disabled=false');
  assert.deepEqual(
    parseAttestations(['type=sbom,generator=x', 'type=provenance,mode=max', attestWord('sbom', 'true')]),
    {
      sbom: '',
      provenance: 'mode=max',
    },
  );
  assert.deepEqual(parseAttestations(['type=sbom,disabled=true']), {});
});
