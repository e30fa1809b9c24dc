import type { OciSeccomp, OciSeccompRule } from '#linux';
import { allowedByArchitecture, allowedByCapability, alwaysAllowed } from './default-syscalls.ts';

const EPERM = 1;
const ENOSYS = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: a call of clone(2) may have none of them. */
const namespaceFlags = 0x7e02_0000;
/** Linux; Linux with 16-bit addresses; both with uname() answering 2.6; and the question what it is. */
const personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** The architectures whose programs run on a machine, its own first (Go's name → libseccomp's). */
const familyOf: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
};

const allow = (names: readonly string[]): OciSeccompRule => ({ names, action: 'SCMP_ACT_ALLOW' });

/** Without CAP_SYS_ADMIN: threads and processes, but no new namespaces. Arguments of clone3 are out of a filter's reach. */
function cloneRules(architecture: string): readonly OciSeccompRule[] {
  const index = architecture === 's390x' ? 1 : 0; // there the flags come second
  return [
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ];
}

/**
 * Docker's default profile: what is not named is refused with EPERM.
 * @param capabilities of the container's bounding set, `CAP_…`
 * @param architecture Go's name of the machine's
 */
export function defaultSeccompProfile(capabilities: readonly string[], architecture: string): OciSeccomp {
  const family = familyOf[architecture];
  const byCapability = capabilities.flatMap((name) => allowedByCapability[name] ?? []);
  const unconditional = [...alwaysAllowed, ...(allowedByArchitecture[architecture] ?? []), ...byCapability];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    ...(family && { architectures: family }),
    syscalls: [
      allow([...new Set(unconditional)]),
      {
        names: ['socket'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }],
      },
      ...personalities.map((value): OciSeccompRule => ({
        names: ['personality'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
      })),
      ...(capabilities.includes('CAP_SYS_ADMIN') ? [] : cloneRules(architecture)),
    ],
  };
}
