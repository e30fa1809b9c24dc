import { foundPackage, type FoundPackage } from './found-package.ts';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  // An object's values are read one by one below.
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

function parsed(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

/** `"MIT"`, `{ "type": "MIT" }`, or a list of such, which was the custom once. */
function licenseOf({ license, licenses }: Fields): string | undefined {
  const one = (value: unknown): string | undefined => textOf(value) ?? textOf(fieldsOf(value)['type']);
  if (!Array.isArray(licenses)) return one(license ?? licenses);
  const all = licenses.map(one).filter((name) => name !== undefined);
  return all.length > 1 ? `(${all.join(' OR ')})` : all[0];
}

function authorOf({ author }: Fields): string | undefined {
  const { name, email } = fieldsOf(author);
  const person = textOf(author) ?? textOf(name);
  return typeof email === 'string' && person !== undefined ? `${person} <${email}>` : person;
}

function packageOf(name: string, fields: Fields, location: string): FoundPackage[] {
  const version = textOf(fields['version']);
  if (version === undefined) return [];
  return [
    foundPackage({
      ...{ type: 'npm', name, version, location },
      license: licenseOf(fields),
      supplier: authorOf(fields),
      homepage: textOf(fields['homepage']),
    }),
  ];
}

/** The package that a package.json describes; none without a name or version. */
export function npmPackage(text: string, location: string): FoundPackage[] {
  const fields = parsed(text);
  const name = textOf(fields['name']);
  return name === undefined ? [] : packageOf(name, fields, location);
}

/** What a package-lock.json would install for use: not what only developing needs, nor links within the project. */
export function lockedPackages(text: string, location: string): FoundPackage[] {
  const { packages, dependencies } = parsed(text);
  if (packages !== undefined) {
    return Object.entries(fieldsOf(packages)).flatMap(([path, value]) => {
      const fields = fieldsOf(value);
      const folder = path.lastIndexOf('node_modules/');
      if (folder === -1 || fields['dev'] === true || fields['link'] === true) return [];
      const name = textOf(fields['name']) ?? path.slice(folder + 'node_modules/'.length);
      return packageOf(name, fields, location);
    });
  }
  return ofDependencies(fieldsOf(dependencies), location);
}

/** The form of npm 6 and before, nested as the folders are. */
const ofDependencies = (dependencies: Fields, location: string): FoundPackage[] =>
  Object.entries(dependencies).flatMap(([name, value]) => {
    const fields = fieldsOf(value);
    if (fields['dev'] === true) return [];
    return [
      ...packageOf(name, fields, location),
      ...ofDependencies(fieldsOf(fields['dependencies']), location),
    ];
  });
