import { foundPackage, type FoundPackage } from './found-package.ts';

/** Packages of apk's database: records of `X:value` lines, separated by empty lines. */
export function alpinePackages(text: string, location: string): FoundPackage[] {
  return text.split(/\n\n+/).flatMap((record) => {
    const fields = new Map<string, string>();
    for (const line of record.split('\n')) {
      // Files of the package follow; their lines have letters of their own.
      if (/^[FM]:/.test(line)) break;
      if (line[1] === ':' && !fields.has(line.charAt(0))) fields.set(line.charAt(0), line.slice(2));
    }
    const name = fields.get('P');
    const version = fields.get('V');
    if (name === undefined || version === undefined) return [];
    const origin = fields.get('o');
    return [
      foundPackage({
        ...{ type: 'apk', name, version, location },
        architecture: fields.get('A'),
        upstream: origin === name ? undefined : origin,
        license: fields.get('L'),
        supplier: fields.get('m'),
        homepage: fields.get('U'),
      }),
    ];
  });
}
