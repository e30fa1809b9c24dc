/** A call of bake whose answer the reference and we must agree on. */
export interface BakeCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** After `bake`; `--print` by default. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** What a call says. */
export interface BakeAnswer {
  readonly code: number;
  readonly out: string;
  /** Without the lines that tell of files that are read. */
  readonly err: string;
}

/** A case of one HCL file. */
export const hcl = (
  name: string,
  text: string,
  options: Omit<BakeCase, 'name' | 'files'> = {},
): BakeCase => ({ name, files: { 'docker-bake.hcl': text }, ...options });
