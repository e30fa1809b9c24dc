import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { hideLogin, runGit } from './git-program.ts';

const proxies = { http: undefined, https: undefined, no: undefined };

test('runGit() lets nothing but the protocols of the network through, and no configuration of this machine', async () => {
  const options = { signal: new AbortController().signal, folder: tmpdir(), proxies };
  for (const remote of ['ext::touch /tmp/wharf-owned', 'file:///etc', '/etc', 'fd::3']) {
    await assert.rejects(runGit(['ls-remote', '--', remote], options), /transport '\w+' not allowed/);
  }
  assert.equal((await runGit(['config', 'core.hooksPath'], options)).trim(), '/dev/null');
});

test('runGit() keeps secrets out of arguments, and ends with its signal', async () => {
  const abort = new AbortController();
  const options = { signal: abort.signal, folder: tmpdir(), proxies, settings: { 'a.secret': 'token' } };
  assert.equal((await runGit(['config', 'a.secret'], options)).trim(), 'token');
  const waiting = runGit(['-c', 'alias.wait=!sleep 60', 'wait'], options);
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, { message: 'enough' });
});

test('hideLogin() takes user and password out of what git says', () => {
  const remote = 'https://me:pass@host/a.git';
  assert.equal(
    hideLogin(`fatal: ${remote} is not there`, remote),
    'fatal: https://xxxxx:xxxxx@host/a.git is not there',
  );
  assert.equal(hideLogin('git@host:a', 'git@host:a'), 'git@host:a');
});
