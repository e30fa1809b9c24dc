import { statSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '#kernel';
import type { ContainerMount } from '../container-record.ts';
import type { SpecMount } from '../spec/oci-spec.ts';

/** One settled mount as runtime-spec (config.md, mounts). `source` is where it lies on the host by now. */
export function specMount(mount: ContainerMount, source: string): SpecMount {
  const { destination, rw } = mount;
  if (mount.type === 'image') {
    // What a subpath left of it is read-only already, and below an image nothing is mounted.
    return { destination, type: 'bind', source, options: ['bind', 'ro', 'private'] };
  }
  if (mount.type === 'tmpfs') {
    const given = (mount.tmpfsOptions ?? '').split(',').filter((option) => option !== '');
    for (const option of given) requireTmpfsOption(option);
    const turnedOff = new Set(given);
    const defaults = ['noexec', 'nosuid', 'nodev'].filter((option) => !turnedOff.has(option.slice(2)));
    const kept = given.filter((option) => !defaults.includes(option));
    return { destination, type: 'tmpfs', source: 'tmpfs', options: [...defaults, ...kept, 'rprivate'] };
  }
  const asked = mount.propagation === '' ? 'rprivate' : mount.propagation;
  // crun takes the `r` of a propagation for that of `rbind`.
  const propagation = mount.nonRecursive ? asked.replace(/^r/, '') : asked;
  return {
    destination,
    type: 'bind',
    source,
    options: [mount.nonRecursive ? 'bind' : 'rbind', rw ? 'rw' : readonlyOption(mount, source), propagation],
  };
}

const tmpfsFlags = new Set(
  'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime diratime nodiratime'
    .concat(' relatime norelatime strictatime nostrictatime private rprivate shared rshared slave rslave')
    .split(' '),
);
const tmpfsSettings = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

function requireTmpfsOption(option: string): void {
  const [name = '', value] = option.split('=');
  if (value === undefined ? tmpfsFlags.has(name) : tmpfsSettings.has(name)) return;
  throw invalidArgument(`invalid tmpfs option "${name}"`);
}

/** Mounts below a read-only bind are read-only too, unless that was asked not to be. crun knows `rro` for folders only. */
const readonlyOption = (mount: ContainerMount, source: string): string =>
  mount.readonlyNonRecursive || mount.nonRecursive || !isFolder(source) ? 'ro' : 'rro';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The three files of /etc and, where asked, the init; unless something of the user's is mounted there. */
export function ownMounts(options: {
  readonly folder: string;
  readonly readonlyRoot: boolean;
  readonly taken: ReadonlySet<string>;
  readonly init: { readonly source: string; readonly destination: string } | undefined;
}): readonly SpecMount[] {
  const mounts: SpecMount[] = [];
  const access = options.readonlyRoot ? 'ro' : 'rw';
  for (const name of ['resolv.conf', 'hostname', 'hosts']) {
    const destination = `/etc/${name}`;
    if (options.taken.has(destination)) continue;
    mounts.push({
      destination,
      type: 'bind',
      source: join(options.folder, name),
      options: ['rbind', access, 'rprivate'],
    });
  }
  if (options.init) {
    mounts.push({ ...options.init, type: 'bind', options: ['bind', 'ro', 'rprivate'] });
  }
  return mounts;
}
