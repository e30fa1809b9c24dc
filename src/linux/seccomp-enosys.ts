import { constants, endianness } from 'node:os';

/** Classic BPF as in linux/bpf_common.h. */
const LOAD = 0x20;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const RETURN_ENOSYS = 0x0005_0000 + constants.errno.ENOSYS;

/** AUDIT_ARCH_X86_64, which x32 shares: libseccomp's own token for x32, and the bit in its calls' numbers. */
const X86_64 = 0xc000_003e;
const X32 = 0x4000_003e;
const X32_BIT = 0x4000_0000;

interface Instruction {
  readonly code: number;
  readonly yes?: number;
  readonly no?: number;
  readonly k: number;
}

/** Numbers above `highest` answer ENOSYS; otherwise falls through to what follows. */
const refuseAbove = (highest: number): Instruction[] => [
  { code: JUMP_GREATER, yes: 0, no: 1, k: highest },
  { code: RETURN, k: RETURN_ENOSYS },
];

/** What is done for one value of the architecture, the call's number being loaded; falls through or returns. */
function checkFor(token: number, highest: ReadonlyMap<number, number>): Instruction[] {
  const native = refuseAbove(highest.get(token) ?? 0);
  if (token !== X86_64) return native;
  const x32 = highest.get(X32);
  const skip: Instruction = { code: JUMP, k: x32 === undefined ? 0 : 2 };
  return [
    { code: JUMP_AT_LEAST, yes: native.length + 1, no: 0, k: X32_BIT },
    ...native,
    skip,
    ...(x32 === undefined ? [] : refuseAbove(x32)),
  ];
}

/**
 * Puts a prefix before a seccomp program: calls whose number is above the highest one known on their architecture
 * (libseccomp's token → number) answer ENOSYS, everything else goes to the program as it was.
 */
export function prependEnosys(program: Uint8Array, highest: ReadonlyMap<number, number>): Uint8Array {
  const tokens = [...highest.keys()].filter((token) => token !== X32 && (highest.get(token) ?? -1) >= 0);
  let prefix: Instruction[] = [];
  for (const token of tokens.toReversed()) {
    const body = [{ code: LOAD, k: NUMBER }, ...checkFor(token, highest)];
    // After its own check a call jumps over those of the other architectures.
    const block = [...body, { code: JUMP, k: prefix.length }];
    prefix = [{ code: JUMP_EQUAL, yes: 0, no: block.length, k: token }, ...block, ...prefix];
  }
  if (prefix.length === 0) return program;
  return Buffer.concat([encode([{ code: LOAD, k: ARCHITECTURE }, ...prefix]), program]);
}

/** struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; } in the machine's byte order. */
function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  const little = endianness() === 'LE';
  instructions.forEach(({ code, yes = 0, no = 0, k }, index) => {
    const at = index * 8;
    if (little) bytes.writeUInt16LE(code, at);
    else bytes.writeUInt16BE(code, at);
    bytes[at + 2] = yes;
    bytes[at + 3] = no;
    if (little) bytes.writeUInt32LE(k, at + 4);
    else bytes.writeUInt32BE(k, at + 4);
  });
  return bytes;
}
