import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCallAnswers } from '../../../test/builds/call-golden.ts';
import { planWithTestImages } from '../../../test/builds/plan-case.ts';
import type { Planning } from '../planning.ts';
import type { Answer } from './answer.ts';
import { answerSubrequest } from './answer-subrequest.ts';

async function ask(dockerfile: string, request: string): Promise<Answer> {
  return answerSubrequest(request, {
    file: { name: 'Dockerfile', text: dockerfile },
    plan: (options) => {
      const result = planWithTestImages(dockerfile, options);
      assert(result.kind !== 'needs');
      const planned: Planning =
        result.kind === 'failed' ? result : { kind: 'planned', plan: result, warnings: result.warnings };
      return Promise.resolve(planned);
    },
    warn: () => undefined,
  });
}

for (const { dockerfile, call, json, text, code } of readCallAnswers()) {
  test(`answerSubrequest() answers ${call} of ${JSON.stringify(dockerfile.slice(0, 40))} like the reference`, async () => {
    if (json === '' || /^(?:ERROR|Dockerfile:)/.test(json)) {
      // What cannot be answered is an error, which the command line shows in its own way.
      await assert.rejects(ask(dockerfile, `frontend.${call}`));
      return;
    }
    const answer = await ask(dockerfile, `frontend.${call}`);
    assert.equal(json.slice(0, answer['result.json']?.length), answer['result.json']);
    if (call === 'lint') assert.equal(answer['result.statuscode'], String(code));
    else assert.equal(answer['result.txt'], text);
  });
}

test('answerSubrequest() refuses what it does not know', async () => {
  await assert.rejects(ask('FROM scratch\n', 'frontend.convert'), /unsupported request frontend\.convert/);
});
