/** A file that comes by itself: it belongs to root. */
export interface SingleFile {
  readonly name: string;
  readonly mode: number;
  /** nanoseconds since the epoch */
  readonly modTime: bigint;
}

/** What goes to the thread that receives contexts. */
export type TransferRequest =
  /** `root`: of the file store; `key`: which earlier tree to compare with. */
  | { readonly kind: 'begin'; readonly transfer: number; readonly root: string; readonly key: string }
  /** A tar follows, compressed or not. */
  | { readonly kind: 'begin-tar'; readonly transfer: number; readonly root: string }
  /** The contents of one file follow; they make a tree of that file alone. */
  | {
      readonly kind: 'begin-file';
      readonly transfer: number;
      readonly root: string;
      readonly file: SingleFile;
    }
  /** Takes over what is in a folder of this machine; its tree is kept under the key. */
  | {
      readonly kind: 'folder';
      readonly transfer: number;
      readonly root: string;
      readonly path: string;
      readonly key: string;
    }
  /** Answers the tree that is kept under a key; an empty one if some of it is gone. */
  | { readonly kind: 'recall'; readonly transfer: number; readonly root: string; readonly key: string }
  /** What came from the client, as it came. */
  | { readonly kind: 'bytes'; readonly transfer: number; readonly bytes: Uint8Array }
  /** Nothing more comes. */
  | { readonly kind: 'end'; readonly transfer: number }
  | { readonly kind: 'cancel'; readonly transfer: number };

/** What comes back. */
export type TransferAnswer =
  /** Messages for the client, framed. `consumed`: bytes taken since the last answer; `received`: bytes of contents. */
  | {
      readonly kind: 'progress';
      readonly transfer: number;
      readonly frames: Uint8Array | undefined;
      readonly consumed: number;
      readonly received: number;
    }
  /** The whole tree, as v8 serializes it, and the digest of everything in it but times. */
  | { readonly kind: 'done'; readonly transfer: number; readonly tree: Uint8Array; readonly digest: string }
  | {
      readonly kind: 'failed';
      readonly transfer: number;
      readonly message: string;
      readonly invalid: boolean;
    };
