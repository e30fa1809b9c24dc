import { foundPackage, type FoundPackage } from './found-package.ts';
import { stanzas } from './stanzas.ts';

/** Packages of dpkg's database: the whole of `status`, or one file of `status.d`, as images without dpkg have them. */
export function debianPackages(text: string, location: string): FoundPackage[] {
  return [...stanzas(text)].flatMap((fields) => {
    const name = fields.get('Package');
    const version = fields.get('Version');
    // What was removed may leave its configuration behind.
    const isInstalled = /(?:^|\s)installed$/.test(fields.get('Status') ?? 'install ok installed');
    if (name === undefined || version === undefined || !isInstalled) return [];
    return [
      foundPackage({
        ...{ type: 'deb', name, version, location },
        architecture: fields.get('Architecture'),
        upstream: sourceOf(fields.get('Source'), name, version),
        supplier: fields.get('Maintainer'),
        homepage: fields.get('Homepage'),
      }),
    ];
  });
}

/** `glibc (2.36-9)`: the version is there where it differs. */
function sourceOf(field: string | undefined, name: string, version: string): string | undefined {
  const [, source, ownVersion] = /^(\S+)(?:\s+\((.+)\))?$/.exec(field ?? '') ?? [];
  if (source === undefined) return undefined;
  if (ownVersion !== undefined && ownVersion !== version) return `${source}@${ownVersion}`;
  return source === name ? undefined : source;
}
