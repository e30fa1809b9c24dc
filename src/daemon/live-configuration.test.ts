import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration } from './configuration/configuration.ts';
import { parseFlags } from './configuration/parse-settings.ts';
import { LiveConfiguration } from './live-configuration.ts';

test('replace() takes mirrors over, and names what waits for the next start', () => {
  const configuration = (...flags: string[]) =>
    // Settings of the machine that runs this are not read.
    loadConfiguration({ ...parseFlags(flags), configFile: '/dev/null' });
  const live = new LiveConfiguration(configuration());
  const mirror = 'https://mirror.example';
  const next = configuration('--registry-mirror', mirror, '--http-proxy', 'http://proxy.example:1');
  assert.deepEqual(live.replace(next), ['proxies']);
  assert.deepEqual(live.current.registry.mirrors, [mirror]);
  assert.equal(live.current.proxies.http, undefined);
});
