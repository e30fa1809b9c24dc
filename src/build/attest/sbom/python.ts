import { foundPackage, type FoundPackage } from './found-package.ts';
import { stanzas } from './stanzas.ts';

/** The package of a METADATA or PKG-INFO file (core metadata of Python packages); undefined where it says none. */
export function pythonPackage(text: string, location: string): FoundPackage | undefined {
  const [fields] = stanzas(text);
  const name = fields?.get('Name');
  const version = fields?.get('Version');
  if (name === undefined || version === undefined) return undefined;
  return foundPackage({
    ...{ type: 'pypi', name, version, location },
    license: known(fields?.get('License-Expression')) ?? known(fields?.get('License')),
    supplier: authorOf(known(fields?.get('Author')), known(fields?.get('Author-email'))),
    homepage: known(fields?.get('Home-page')),
  });
}

function authorOf(author: string | undefined, address: string | undefined): string | undefined {
  const isBoth = author !== undefined && address !== undefined && !address.includes('<');
  return isBoth ? `${author} <${address}>` : (address ?? author);
}

/** Builders of packages fill in what they were not told. */
const known = (value: string | undefined): string | undefined =>
  value === undefined || value === '' || value === 'UNKNOWN' || value.includes('\n') ? undefined : value;
