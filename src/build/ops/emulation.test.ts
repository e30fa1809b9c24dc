import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hostPlatform } from '#oci';
import { buildablePlatforms, checkCanRun, emulatedArchitectures } from './emulation.ts';

const folder = mkdtempSync(join(tmpdir(), 'wharf-binfmt-'));
after(() => rmSync(folder, { recursive: true }));

/** As the kernel shows a registration. */
const registration = (magic: string, flags: string, state = 'enabled'): string =>
  `${state}\ninterpreter /usr/bin/qemu-static\nflags: ${flags}\noffset 0\nmagic ${magic}\nmask ffffffffffffff00fffffffffffffffffeffffff\n`;

writeFileSync(join(folder, 'status'), 'enabled\n');
writeFileSync(join(folder, 'register'), '');
writeFileSync(join(folder, 'qemu-riscv64'), registration('7f454c460201010000000000000000000200f300', 'POCF'));
writeFileSync(join(folder, 'qemu-s390x'), registration('7f454c4602020100000000000000000000020016', 'F'));
writeFileSync(join(folder, 'qemu-ppc64le'), registration('7f454c4602010100000000000000000002001500', 'OC'));
writeFileSync(
  join(folder, 'qemu-loong64'),
  registration('7f454c4602010100000000000000000002000201', 'F', 'disabled'),
);
writeFileSync(
  join(folder, 'jar'),
  'enabled\ninterpreter /usr/bin/jexec\nflags: \noffset 0\nmagic 504b0304\n',
);

test('emulatedArchitectures() lists what the kernel starts in every file system', () => {
  assert.deepEqual(emulatedArchitectures(folder), ['riscv64', 's390x']);
  assert.deepEqual(emulatedArchitectures(join(folder, 'missing')), []);
});

test('buildablePlatforms() begins with the host itself', () => {
  const [own] = buildablePlatforms(folder);
  assert.equal(own?.architecture, hostPlatform().architecture);
  assert.ok(buildablePlatforms(folder).some(({ architecture }) => architecture === 's390x'));
});

test('checkCanRun() says what to install', () => {
  checkCanRun(hostPlatform(), folder);
  checkCanRun({ os: 'linux', architecture: 'riscv64' }, folder);
  assert.throws(() => checkCanRun({ os: 'linux', architecture: 'ppc64le' }, folder), {
    kind: 'invalidArgument',
    message: /cannot run a command for linux\/ppc64le on this host.*qemu-user-static.*--install ppc64le/,
  });
});
