import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSeccompProfile, type SeccompSubject } from './profile-file.ts';

const subject: SeccompSubject = {
  capabilities: ['CAP_SYS_ADMIN'],
  architecture: 'amd64',
  kernelRelease: '6.1.0-13-amd64',
};
const parse = (profile: object, about: Partial<SeccompSubject> = {}) =>
  parseSeccompProfile(JSON.stringify(profile), { ...subject, ...about });

const withConditions = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 5,
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
  ],
  syscalls: [
    {
      names: ['read', 'write'],
      action: 'SCMP_ACT_ALLOW',
      args: null,
      comment: '',
      includes: {},
      excludes: {},
    },
    { names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38, excludes: { caps: ['CAP_SYS_ADMIN'] } },
    { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '4.8' } },
    { names: ['set_tls'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['arm64'] } },
    { names: ['bpf'], action: 'SCMP_ACT_ALLOW', excludes: { arches: ['amd64'] } },
  ],
};
const names = (about: Partial<SeccompSubject>) =>
  parse(withConditions, about)?.syscalls?.flatMap((rule) => rule.names);

test('parseSeccompProfile() keeps the rules whose conditions hold', () => {
  assert.deepEqual(names({}), ['read', 'write', 'mount', 'ptrace']);
  assert.deepEqual(names({ capabilities: [] }), ['read', 'write', 'clone3', 'ptrace']);
  assert.deepEqual(names({ kernelRelease: '4.7.9' }), ['read', 'write', 'mount']);
  assert.deepEqual(names({ kernelRelease: '4.10.0' }), ['read', 'write', 'mount', 'ptrace']);
  assert.deepEqual(names({ architecture: 'arm64' }), ['read', 'write', 'mount', 'ptrace', 'set_tls', 'bpf']);
});

test('parseSeccompProfile() answers the form of the runtime specification', () => {
  assert.deepEqual(parse({ ...withConditions, syscalls: [], flags: ['SECCOMP_FILTER_FLAG_LOG'] }), {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 5,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [],
  });
  const plain = parse({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [
      {
        name: 'socket',
        action: 'SCMP_ACT_ERRNO',
        args: [{ index: 0, value: 1, valueTwo: 2, op: 'SCMP_CMP_EQ' }],
      },
    ],
  });
  assert.deepEqual(plain?.syscalls, [
    {
      names: ['socket'],
      action: 'SCMP_ACT_ERRNO',
      args: [{ index: 0, value: 1, valueTwo: 2, op: 'SCMP_CMP_EQ' }],
    },
  ]);
  assert.deepEqual(plain.architectures, ['SCMP_ARCH_X86_64']);
});

test('parseSeccompProfile() answers undefined for a profile that says nothing', () => {
  assert.equal(parse({}), undefined);
});

test('parseSeccompProfile() refuses what is no profile', () => {
  const rule = (fields: object) => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [fields] });
  const wrong: readonly [object, RegExp][] = [
    [[], /not an object/],
    [{ defaultAction: 'ALLOW' }, /unknown defaultAction "ALLOW"/],
    [{ defaultAction: 'SCMP_ACT_ALLOW', syscalls: {} }, /syscalls is not a list/],
    [rule({ names: ['a'], name: 'b', action: 'SCMP_ACT_ALLOW' }), /both 'name' and 'names'/],
    [rule({ names: ['a'] }), /unknown action ""/],
    [rule({ names: 'a', action: 'SCMP_ACT_ALLOW' }), /names is not a list/],
    [
      rule({ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 6, op: 'SCMP_CMP_EQ' }] }),
      /no argument 6/,
    ],
    [rule({ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, op: '==' }] }), /unknown op "=="/],
    [rule({ names: ['a'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '4' } }), /kernel version "4"/],
    [{ ...withConditions, architectures: ['SCMP_ARCH_X86'] }, /both 'architectures' and 'archMap'/],
  ];
  for (const [profile, message] of wrong) {
    assert.throws(
      () => parse(profile),
      (error: Error & { kind?: string }) => {
        assert.match(error.message, message);
        assert.match(error.message, /^Decoding seccomp profile failed: /);
        return error.kind === 'invalidArgument';
      },
    );
  }
  assert.throws(() => parseSeccompProfile('{', subject), /Decoding seccomp profile failed/);
});
