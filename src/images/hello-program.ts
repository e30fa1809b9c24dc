/** The text that the embedded hello-world prints. */
export const helloText = `
Hello from Wharf!
This message shows that your installation works.

What happened just now:
 1. The wharf command asked the daemon, wharfd, for a new container.
 2. The daemon took the image hello-world. This one is built into it: no network was needed.
 3. It gave the image a writable layer, a network namespace and limits of its own.
 4. The OCI runtime started this program inside, and what it printed came back to you.

Something with more in it:
 $ wharf run -it debian bash

`;

const baseAddress = 0x400000;
const headersLength = 64 + 56;

/** x86-64: write(1, text, length), then exit_group(0). */
function x86Code(textLength: number): Buffer {
  const code = Buffer.alloc(31);
  let at = 0;
  const bytes = (...values: number[]): void => {
    for (const value of values) at = code.writeUInt8(value, at);
  };
  const load = (register: number, value: number): void => {
    bytes(0xb8 + register);
    at = code.writeUInt32LE(value, at);
  };
  const [eax, edx, esi, edi] = [0, 2, 6, 7];
  load(eax, 1);
  load(edi, 1);
  load(esi, baseAddress + headersLength + code.length);
  load(edx, textLength);
  bytes(0x0f, 0x05);
  load(eax, 231);
  bytes(0x31, 0xff); // xor edi, edi
  bytes(0x0f, 0x05);
  return code;
}

/** AArch64: the same two calls. */
function armCode(textLength: number): Buffer {
  const move = (register: number, value: number): number => 0xd2800000 + value * 32 + register;
  const supervisorCall = 0xd4000001;
  const adrPosition = 2 * 4;
  const length = 9 * 4;
  const offset = length - adrPosition;
  const textAddress = 0x10000000 + (offset & 3) * 2 ** 29 + (offset >> 2) * 32 + 1;
  const words = [
    move(8, 64),
    move(0, 1),
    textAddress,
    move(2, textLength),
    supervisorCall,
    move(8, 94),
    move(0, 0),
    supervisorCall,
    0xd503201f, // nop: keeps the text aligned
  ];
  const code = Buffer.alloc(length);
  words.forEach((word, index) => code.writeUInt32LE(word, index * 4));
  return code;
}

/** A static ELF program with one loadable segment that prints `helloText` and ends with 0. */
export function helloProgram(architecture: 'amd64' | 'arm64'): Buffer {
  const text = Buffer.from(helloText);
  const code = architecture === 'amd64' ? x86Code(text.length) : armCode(text.length);
  const size = headersLength + code.length + text.length;
  const headers = Buffer.alloc(headersLength);
  headers.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little endian, version 1
  headers.writeUInt16LE(2, 16); // ET_EXEC
  headers.writeUInt16LE(architecture === 'amd64' ? 62 : 183, 18);
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(BigInt(baseAddress + headersLength), 24); // entry
  headers.writeBigUInt64LE(64n, 32); // program headers
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  headers.writeUInt32LE(1, 64); // PT_LOAD
  headers.writeUInt32LE(5, 68); // readable, executable
  headers.writeBigUInt64LE(BigInt(baseAddress), 80);
  headers.writeBigUInt64LE(BigInt(baseAddress), 88);
  headers.writeBigUInt64LE(BigInt(size), 96);
  headers.writeBigUInt64LE(BigInt(size), 104);
  headers.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([headers, code, text]);
}
