/** An image that can be taken over. */
export interface SourceImage {
  /** As the source calls it: `sha256:…`. */
  readonly id: string;
  /** Familiar names with tags. */
  readonly tags: readonly string[];
  /** Bytes, as lists show them. */
  readonly size: number;
  /** Digests of the layers, which tell whether another engine has the same image. */
  readonly layers: readonly string[];
}

export interface SourceVolume {
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** Where images and volumes come from. Nothing of it is changed. */
export interface ImportSource extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  images(): Promise<readonly SourceImage[]>;
  /** What `docker save` would write, without names. */
  saveImage(image: SourceImage): AsyncIterable<Uint8Array>;
  volumes(): Promise<readonly SourceVolume[]>;
  /** A tar of what is in the volume. */
  saveVolume(volume: SourceVolume): AsyncIterable<Uint8Array>;
}
