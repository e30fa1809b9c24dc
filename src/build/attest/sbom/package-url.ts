import { PackageURL } from 'packageurl-js';
import type { Distribution, FoundPackage } from './found-package.ts';

/** `pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12`: a package's name among all packages. */
export function packageUrl(
  { type, name, version, architecture, upstream }: FoundPackage,
  distribution: Distribution | undefined,
): string {
  if (type === 'npm' || type === 'pypi') {
    const [scope, bare] = type === 'npm' && name.startsWith('@') ? splitScope(name) : [undefined, name];
    return new PackageURL(type, scope, bare, version, undefined, undefined).toString();
  }
  const vendor = distribution?.id ?? (type === 'apk' ? 'alpine' : 'debian');
  const distro =
    distribution && [distribution.id, distribution.version].filter((part) => part !== '').join('-');
  const qualifiers = {
    ...(architecture !== undefined && { arch: architecture }),
    ...(distro !== undefined && { distro }),
    ...(upstream !== undefined && { upstream }),
  };
  return new PackageURL(type, vendor, name, version, qualifiers, undefined).toString();
}

function splitScope(name: string): [string, string] {
  const slash = name.indexOf('/');
  return [name.slice(0, slash), name.slice(slash + 1)];
}
