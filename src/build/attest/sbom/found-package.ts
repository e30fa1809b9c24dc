/** A package that was found among files. */
export interface FoundPackage {
  readonly type: 'deb' | 'apk' | 'npm' | 'pypi';
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  /** The source package where it has another name or version: `glibc`, `glibc 2.36-9`. */
  readonly upstream?: string;
  /** As the package says it, in whatever words. */
  readonly license?: string;
  /** Who makes it: `Name <address>`. */
  readonly supplier?: string;
  readonly homepage?: string;
  /** Where it says so, from the root: `/var/lib/dpkg/status`. */
  readonly location: string;
}

type Always = 'type' | 'name' | 'version' | 'location';

/** A package of fields of which some may not be known. */
export function foundPackage(
  fields: Pick<FoundPackage, Always> & {
    readonly [Name in Exclude<keyof FoundPackage, Always>]?: FoundPackage[Name] | undefined;
  },
): FoundPackage {
  const { type, name, version, location, ...others } = fields;
  const known = Object.entries(others).filter(([, value]) => value !== undefined && value !== '');
  return { type, name, version, location, ...Object.fromEntries(known) };
}

/** Which system the files are, as /etc/os-release says. */
export interface Distribution {
  readonly id: string;
  readonly version: string;
}

/** What a scan has found. */
export interface Inventory {
  readonly distribution: Distribution | undefined;
  readonly packages: readonly FoundPackage[];
}
