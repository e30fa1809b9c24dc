import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database } from '#metadata';
import { BuildMemory } from './build-memory.ts';
import type { RecordedStep } from './recorded-step.ts';

const stepOf = (instruction: string): RecordedStep =>
  ({
    id: `sha256:${instruction}`,
    vertex: { kind: 'local', name: 'context' },
    step: { instruction, stage: '', buildArguments: {}, ignoreCache: false },
  }) as RecordedStep;

test('BuildMemory keeps the latest builds, each once', () => {
  using db = new Database(':memory:');
  let now = 0n;
  const memory = new BuildMemory(db, { now: () => now++ });
  assert.deepEqual(memory.find('a'), []);
  memory.put('a', [stepOf('RUN 1')]);
  memory.put('a', [stepOf('RUN 2')]);
  assert.deepEqual(memory.find('a'), [stepOf('RUN 2')]);
  for (let index = 0; index < 200; index += 1) memory.put(String(index), [stepOf('RUN')]);
  assert.deepEqual(memory.find('a'), []);
  assert.deepEqual(memory.find('0'), [stepOf('RUN')]);
  memory.put('large', [stepOf('x'.repeat(600_000))]);
  assert.deepEqual(memory.find('large'), []);
});
