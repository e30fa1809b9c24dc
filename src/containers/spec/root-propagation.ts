import type { RuntimeSpec, SpecMount } from './oci-spec.ts';

/** What the root of the container's mounts must be, for mounts in it to travel (runtime-spec, rootfsPropagation). */
export function rootPropagation(
  mounts: readonly SpecMount[],
): Pick<RuntimeSpec['linux'], 'rootfsPropagation'> {
  const options = mounts.flatMap((mount) => mount.options);
  if (options.some((option) => option === 'shared' || option === 'rshared')) {
    return { rootfsPropagation: 'shared' };
  }
  return options.some((option) => option === 'slave' || option === 'rslave')
    ? { rootfsPropagation: 'slave' }
    : {};
}
