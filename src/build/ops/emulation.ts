import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '#kernel';
import { formatPlatform, hostPlatform, runnablePlatforms, type Platform } from '#oci';

/** Where the kernel lists what it starts through an interpreter (Documentation/admin-guide/binfmt-misc.rst). */
const registrations = '/proc/sys/fs/binfmt_misc';

/** e_machine of an ELF header (elf(5)), and the width and byte order that go with it. */
const machines: readonly {
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly order: 'little' | 'big';
  readonly architecture: string;
}[] = [
  { machine: 0x03, bits: 32, order: 'little', architecture: '386' },
  { machine: 0x3e, bits: 64, order: 'little', architecture: 'amd64' },
  { machine: 0x28, bits: 32, order: 'little', architecture: 'arm' },
  { machine: 0xb7, bits: 64, order: 'little', architecture: 'arm64' },
  { machine: 0xf3, bits: 64, order: 'little', architecture: 'riscv64' },
  { machine: 0x15, bits: 64, order: 'little', architecture: 'ppc64le' },
  { machine: 0x16, bits: 64, order: 'big', architecture: 's390x' },
  { machine: 0x08, bits: 64, order: 'little', architecture: 'mips64le' },
  { machine: 0x08, bits: 64, order: 'big', architecture: 'mips64' },
  { machine: 0x102, bits: 64, order: 'little', architecture: 'loong64' },
];

/** Architectures that the kernel has an emulator for, in every file system: with the flag F it is open already. */
export function emulatedArchitectures(folder = registrations): readonly string[] {
  if (!existsSync(folder)) return [];
  const found = new Set<string>();
  for (const name of readdirSync(folder)) {
    if (name === 'register' || name === 'status') continue;
    const architecture = architectureOf(readFileSync(join(folder, name), 'latin1'));
    if (architecture !== undefined) found.add(architecture);
  }
  return [...found].sort();
}

/** Of a registration that is switched on: the architecture whose programs it starts. */
function architectureOf(text: string): string | undefined {
  const flags = /^flags: *(\S*)$/m.exec(text)?.[1] ?? '';
  const offset = /^offset (\d+)$/m.exec(text)?.[1] ?? '0';
  const magic = Buffer.from(/^magic ([0-9a-f]+)$/m.exec(text)?.[1] ?? '', 'hex');
  const isElf = magic.length >= 20 && magic.readUInt32BE(0) === 0x7f454c46;
  if (!/^enabled$/m.test(text) || !flags.includes('F') || offset !== '0' || !isElf) return undefined;
  const bits = magic[4] === 2 ? 64 : 32;
  const order = magic[5] === 2 ? 'big' : 'little';
  const machine = order === 'big' ? magic.readUInt16BE(18) : magic.readUInt16LE(18);
  return machines.find((each) => each.machine === machine && each.bits === bits && each.order === order)
    ?.architecture;
}

/** What commands of builds can be run for: the host's own platform first, then what it emulates. */
export function buildablePlatforms(folder = registrations): readonly Platform[] {
  const own = runnablePlatforms(hostPlatform());
  const known = new Set(own.map(({ architecture }) => architecture));
  const emulated = emulatedArchitectures(folder).filter((architecture) => !known.has(architecture));
  const { os } = hostPlatform();
  return [...own, ...emulated.map((architecture) => ({ os, architecture }))];
}

/** Throws invalidArgument where a command for this platform cannot be run, and says what helps. */
export function checkCanRun({ os, architecture, variant = '' }: Platform, folder = registrations): void {
  const isIt = (each: Platform): boolean => each.os === os && each.architecture === architecture;
  if (buildablePlatforms(folder).some(isIt)) return;
  const wanted = formatPlatform({ os, architecture, variant });
  throw invalidArgument(
    `cannot run a command for ${wanted} on this host, which is ${formatPlatform(hostPlatform())} and has no emulator for it: ` +
      `install one (apt-get install qemu-user-static, or docker run --privileged --rm tonistiigi/binfmt --install ${architecture}), ` +
      'or begin the stage with FROM --platform=$BUILDPLATFORM and let the program cross-compile',
  );
}
