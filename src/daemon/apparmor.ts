import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { messageOf, type Logger } from '#kernel';
import { findProgram } from './host-facts.ts';

const profileName = 'docker-default';

/** What a container may not do whatever its capabilities are: write to the kernel's switches, mount, trace others. */
const profile = `
#include <tunables/global>

profile ${profileName} flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>

  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (send,receive) peer=${profileName},
  ptrace (trace,read,tracedby,readby) peer=${profileName},

  # The kernel's switches: read-only mounts hide most of them already.
  deny @{PROC}/{acpi,asound,bus,fs,irq,scsi,sys}/** wklx,
  deny @{PROC}/{sysrq-trigger,kcore,kmem,mem} rwklx,
  deny mount,
  deny /sys/{block,bus,class,dev,devices,hypervisor,kernel,module,power}/** wklx,
  deny /sys/fs/{bpf,btrfs,ext4,fuse,pstore,selinux,xfs}/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;

/**
 * Loads the profile \`docker-default\` unless the kernel has it already; undefined, with a warning, when
 * apparmor_parser is missing or refuses it: containers then run without a profile.
 */
export function loadDefaultProfile(logger: Logger): string | undefined {
  if (isLoaded()) return profileName;
  const parser = findProgram(['apparmor_parser'], process.env['PATH'] ?? '');
  if (parser === undefined) {
    logger.warn(
      { program: 'apparmor_parser' },
      'AppArmor is on, but its parser is not installed: containers get no profile',
    );
    return undefined;
  }
  try {
    execFileSync(parser, ['--replace', '--write-cache'], {
      input: profile,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    return profileName;
  } catch (error) {
    logger.warn({ error: messageOf(error) }, 'the AppArmor profile could not be loaded: containers get none');
    return undefined;
  }
}

function isLoaded(): boolean {
  try {
    return readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${profileName} `));
  } catch {
    return false;
  }
}
