import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSeccomp, type OciSeccomp } from './seccomp.ts';

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const ALLOW = 0x7fff0000;
const errno = (code: number): number => 0x00050000 + code;

/** What the kernel would answer: runs a filter program on one call (linux/filter.h, the subset that seccomp takes). */
function evaluate(program: Uint8Array, call: { arch: number; nr: number; args?: readonly bigint[] }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr, 0);
  data.writeUInt32LE(call.arch, 4);
  (call.args ?? []).forEach((value, index) => data.writeBigUInt64LE(value, 16 + index * 8));
  const code = Buffer.from(program);
  let accumulator = 0;
  for (let pc = 0; pc * 8 < code.length; pc++) {
    const at = pc * 8;
    const k = code.readUInt32LE(at + 4);
    const jump = (condition: boolean): void => {
      pc += code.readUInt8(at + (condition ? 2 : 3));
    };
    const kind = code.readUInt16LE(at);
    if (kind === 0x20) accumulator = data.readUInt32LE(k);
    else if (kind === 0x05) pc += k;
    else if (kind === 0x15) jump(accumulator === k);
    else if (kind === 0x25) jump(accumulator > k);
    else if (kind === 0x35) jump(accumulator >= k);
    else if (kind === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (kind === 0x06) return k;
    else throw new Error(`instruction ${kind} is not known here`);
  }
  throw new Error('the program has no end');
}

const profile: OciSeccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 13,
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  syscalls: [
    { names: ['read', 'write', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
    { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    {
      names: ['personality'],
      action: 'SCMP_ACT_ALLOW',
      args: [
        { index: 0, value: 0, op: 'SCMP_CMP_EQ' },
        { index: 0, value: 8, op: 'SCMP_CMP_EQ' },
      ],
    },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ],
};

test(
  'compileSeccomp() makes a program that decides as the profile says',
  { skip: process.arch !== 'x64' },
  () => {
    const program = compileSeccomp(profile);
    const cases: readonly [string, number, number, readonly bigint[], number][] = [
      ['read', X86_64, 0, [], ALLOW],
      ['open, not named', X86_64, 2, [], errno(13)],
      ['socket AF_INET', X86_64, 41, [2n], ALLOW],
      ['socket AF_VSOCK', X86_64, 41, [40n], errno(13)],
      ['clone of a thread', X86_64, 56, [0x3d0f00n], ALLOW],
      ['clone CLONE_NEWUSER', X86_64, 56, [0x10000000n], errno(13)],
      ['personality 0', X86_64, 135, [0n], ALLOW],
      ['personality 8, the second comparison', X86_64, 135, [8n], ALLOW],
      ['personality 1', X86_64, 135, [1n], errno(13)],
      ['clone3, the highest named', X86_64, 435, [], errno(38)],
      ['close_range, above all that are named', X86_64, 436, [], errno(38)],
      ['far above', X86_64, 100_000, [], errno(38)],
      ['i386 read', I386, 3, [], ALLOW],
      ['i386 open', I386, 5, [], errno(13)],
      ['i386 above', I386, 436, [], errno(38)],
      ['x32 read', X86_64, 0x40000000, [], ALLOW],
      ['x32 open', X86_64, 0x40000002, [], errno(13)],
      ['x32 above', X86_64, 0x40000000 + 999, [], errno(38)],
      ['another architecture is killed', 0xc00000b7, 63, [], 0],
    ];
    for (const [title, arch, nr, args, expected] of cases) {
      assert.equal(evaluate(program, { arch, nr, args }), expected, title);
    }
  },
);

test(
  'compileSeccomp() leaves calls of x32 to the filter when the profile has no x32',
  { skip: process.arch !== 'x64' },
  () => {
    const program = compileSeccomp({ ...profile, architectures: ['SCMP_ARCH_X86_64'] });
    assert.equal(evaluate(program, { arch: X86_64, nr: 0x40000000 }), 0);
    assert.equal(evaluate(program, { arch: X86_64, nr: 436 }), errno(38));
    assert.equal(evaluate(program, { arch: X86_64, nr: 1 }), ALLOW);
  },
);

test('compileSeccomp() adds no ENOSYS to a permissive profile', { skip: process.arch !== 'x64' }, () => {
  const program = compileSeccomp({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 99 }],
  });
  assert.equal(evaluate(program, { arch: X86_64, nr: 83 }), errno(99));
  assert.equal(evaluate(program, { arch: X86_64, nr: 9999 }), ALLOW);
});

test('compileSeccomp() refuses what it cannot make', () => {
  const notify: OciSeccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }],
  };
  assert.throws(() => compileSeccomp(notify), { kind: 'unimplemented' });
  const strange: OciSeccomp = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_Z80'] };
  assert.throws(() => compileSeccomp(strange), { kind: 'invalidArgument' });
});
