import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { OciSeccomp } from '#linux';
import { defaultSeccompProfile } from './default-profile.ts';

/** One line for each name and what is asked of it: the same for two profiles that decide the same. */
function decisions(profile: OciSeccomp): readonly string[] {
  const lines = (profile.syscalls ?? []).flatMap(({ names, action, errnoRet, args = [] }) =>
    names.map((name) => {
      const conditions = args.map(({ index, value, valueTwo = 0, op }) => [index, value, valueTwo, op]);
      return JSON.stringify([name, action, errnoRet ?? null, conditions]);
    }),
  );
  return [...new Set(lines)].sort();
}

const digest = (profile: OciSeccomp): string =>
  createHash('sha256').update(decisions(profile).join('\n')).digest('hex').slice(0, 16);

const allowed = (capability: string): ReadonlySet<string> =>
  new Set(
    (defaultSeccompProfile([capability], 'amd64').syscalls ?? [])
      .filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args)
      .flatMap(({ names }) => names),
  );

test('defaultSeccompProfile() decides as Docker Engine 28.5 does on amd64', () => {
  // Digests of what the engine wrote into its runtime specifications for these capabilities.
  const recorded: readonly [readonly string[], string][] = [
    [[], '358e797c1a21f6d8'],
    [['CAP_SYS_CHROOT', 'CAP_CHOWN'], 'dcec841c84501909'],
    [['CAP_SYS_ADMIN'], '5e16fca105b45ec0'],
    [['CAP_SYS_PTRACE'], 'b4ea4a16fc7780c2'],
    [['CAP_SYS_TIME'], 'f75c60f2e91da10b'],
    [['CAP_SYS_NICE'], '502bfd676b9df5bf'],
    [['CAP_SYS_MODULE'], 'e478e303b2dbea61'],
    [['CAP_DAC_READ_SEARCH'], '68a45384c532f2f7'],
  ];
  for (const [capabilities, expected] of recorded) {
    const profile = defaultSeccompProfile(capabilities, 'amd64');
    assert.equal(digest(profile), expected, capabilities.join());
    assert.equal(profile.defaultErrnoRet, 1);
    assert.deepEqual(profile.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  }
});

test('defaultSeccompProfile() opens calls by capability and nothing else', () => {
  assert.ok(!allowed('CAP_CHOWN').has('mount'));
  assert.ok(allowed('CAP_SYS_ADMIN').has('mount'));
  assert.ok(!allowed('CAP_SYS_ADMIN').has('reboot'));
  assert.ok(allowed('CAP_SYS_BOOT').has('reboot'));
});

test('defaultSeccompProfile() knows other architectures', () => {
  const arm = defaultSeccompProfile([], 'arm64');
  assert.deepEqual(arm.architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  assert.ok(arm.syscalls?.[0]?.names.includes('set_tls'));
  assert.ok(!arm.syscalls?.[0]?.names.includes('arch_prctl'));
  const clone = defaultSeccompProfile([], 's390x').syscalls?.find(({ names }) => names[0] === 'clone');
  assert.equal(clone?.args?.[0]?.index, 1);
});
