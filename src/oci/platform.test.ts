import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatPlatform,
  hostPlatform,
  isSamePlatform,
  matchesPlatform,
  normalizePlatform,
  parsePlatform,
  rankByPlatform,
  runnablePlatforms,
} from './index.ts';

const here = hostPlatform().architecture;

test('parsePlatform() reads and normalizes', () => {
  const table: Record<string, string> = {
    'linux/amd64': 'linux/amd64',
    'LINUX/AMD64': 'linux/amd64',
    'linux/x86_64': 'linux/amd64',
    'linux/arm64/v8': 'linux/arm64/v8',
    'linux/aarch64': 'linux/arm64',
    'linux/arm': 'linux/arm/v7',
    'linux/arm/6': 'linux/arm/v6',
    'linux/armel': 'linux/arm/v6',
    'linux/bogus': 'linux/bogus',
    arm64: 'linux/arm64',
    linux: `linux/${here}`,
    'macos/arm64': 'darwin/arm64',
  };
  for (const [text, formatted] of Object.entries(table)) {
    assert.equal(formatPlatform(parsePlatform(text)), formatted, text);
  }
  assert.deepEqual(parsePlatform('windows(10.0.17763+win32k)/amd64'), {
    os: 'windows',
    architecture: 'amd64',
    'os.version': '10.0.17763',
    'os.features': ['win32k'],
  });
});

test('parsePlatform() refuses in Docker words', () => {
  const table: Record<string, string> = {
    bogus: '"bogus": unknown operating system or architecture: invalid argument',
    'a/b/c/d': '"a/b/c/d": cannot parse platform specifier: invalid argument',
    '*/amd64': '"*/amd64": wildcards not yet supported: invalid argument',
    'linux/':
      '"" is an invalid component of "linux/": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument',
    ' ': '" " is an invalid OS component of " ": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.%-]*)((?:\\\\+[A-Za-z0-9_.%-]+)*)\\\\))?$": invalid argument',
  };
  for (const [text, message] of Object.entries(table)) {
    assert.throws(() => parsePlatform(text), { kind: 'invalidArgument', message });
  }
});

test('runnablePlatforms() orders variants from the best down', () => {
  const table: Record<string, string[]> = {
    'linux/amd64': ['linux/amd64', 'linux/386'],
    'linux/amd64/v3': ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386'],
    'linux/arm64': ['linux/arm64', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'],
    'linux/arm/v7': ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'],
    'linux/s390x': ['linux/s390x'],
  };
  for (const [text, expected] of Object.entries(table)) {
    assert.deepEqual(runnablePlatforms(parsePlatform(text)).map(formatPlatform), expected);
  }
  assert.equal(formatPlatform(runnablePlatforms(parsePlatform('linux/arm64/v9.1'))[0]!), 'linux/arm64/v9.1');
});

test('rankByPlatform() picks the best entry and never an attestation', () => {
  const entries = ['unknown/unknown', 'linux/arm/v6', '', 'linux/arm/v7', 'linux/amd64', 'linux/arm64'].map(
    (name) => {
      const [os = '', architecture = '', variant] = name.split('/');
      return name === ''
        ? { name }
        : { name, platform: { os, architecture, ...(variant !== undefined && { variant }) } };
    },
  );
  const ranked = (text: string): string[] => rankByPlatform(parsePlatform(text), entries).map((e) => e.name);
  assert.deepEqual(ranked('linux/amd64'), ['linux/amd64', '']);
  assert.deepEqual(ranked('linux/arm/v7'), ['linux/arm/v7', 'linux/arm/v6', '']);
  assert.deepEqual(ranked('linux/arm64'), ['linux/arm64', 'linux/arm/v7', 'linux/arm/v6', '']);
  assert.deepEqual(ranked('linux/s390x'), ['']);
});

test('normalizePlatform() and isSamePlatform() see through spellings', () => {
  const platform = { os: 'linux', architecture: 'aarch64', variant: 'v8', 'os.version': '1' };
  assert.deepEqual(normalizePlatform(platform), { os: 'linux', architecture: 'arm64', 'os.version': '1' });
  assert.ok(isSamePlatform(platform, { os: 'linux', architecture: 'arm64' }));
  assert.ok(!isSamePlatform(platform, { os: 'linux', architecture: 'arm' }));
  assert.ok(matchesPlatform(parsePlatform('linux/amd64'), { os: 'linux', architecture: 'i386' }));
});
