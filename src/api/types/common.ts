/**
 * Shapes that several nouns of the Engine API share. Everything in this folder is spelled as on the wire of API
 * version 1.56; `| null` stands where an engine sends or accepts null for an empty list, map or object.
 */

/** The body of every answer of status 400 and above. */
export interface ErrorResponse {
  readonly message: string;
}

export interface IDResponse {
  readonly Id: string;
}

/** image-spec descriptor.md */
export interface OCIDescriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  /** bytes */
  readonly size?: number;
  readonly urls?: readonly string[] | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly data?: string | null;
  readonly platform?: OCIPlatform | null;
  readonly artifactType?: string | null;
}

export interface OCIPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly variant?: string;
}

/** Storage driver and what it says about one container or image. */
export interface DriverData {
  readonly Name: string;
  readonly Data: Readonly<Record<string, string>> | null;
}

/** Where a snapshotter, instead of a storage driver, keeps a container's root file system. */
export interface Storage {
  readonly RootFS?: { readonly Snapshot?: { readonly Name?: string } };
}

/**
 * The `filters` of list and prune requests: values by key. Both wire forms, `{"label":{"a=b":true}}` and
 * `{"label":["a=b"]}`, are read; the list form is written.
 */
export type Filters = Readonly<Record<string, readonly string[]>>;
