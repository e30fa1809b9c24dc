import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitLogin } from './git-login.ts';

const secrets = (
  given: Readonly<Record<string, string>>,
): { secret(id: string): Promise<Uint8Array | undefined> } => ({
  secret: (id) => Promise.resolve(given[id] === undefined ? undefined : Buffer.from(given[id])),
});

for (const [remote, given, expected] of [
  [
    'https://host/a.git',
    { GIT_AUTH_TOKEN: 't' },
    ['http.https://host/a.git.extraheader', 'Authorization: basic eC1hY2Nlc3MtdG9rZW46dA=='],
  ],
  [
    'https://host:8/a.git',
    { 'GIT_AUTH_TOKEN.other': 'o', 'GIT_AUTH_HEADER.host:8': 'bearer b', GIT_AUTH_TOKEN: 't' },
    ['http.https://host:8/a.git.extraheader', 'Authorization: bearer b'],
  ],
  [
    'https://github.com/a/b.git',
    { GIT_AUTH_HEADER: 'h' },
    ['http.https://github.com/.extraheader', 'Authorization: h'],
  ],
  ['git://host/a.git', { GIT_AUTH_TOKEN: 't' }, undefined],
  ['https://host/a.git', {}, undefined],
] as const) {
  test(`gitLogin() of ${remote} with ${Object.keys(given).join(', ') || 'nothing'}`, async () => {
    await using login = await gitLogin(remote, secrets(given));
    assert.deepEqual(Object.entries(login.options.settings ?? {}).at(0), expected);
  });
}

test('gitLogin() wants an agent of the client for SSH', async () => {
  await assert.rejects(gitLogin('git@host:a/b.git', secrets({})), {
    message: 'unset ssh forward key default',
  });
});
