/** What goes to the thread that receives contexts. */
export type TransferRequest =
  /** `root`: of the file store; `key`: which earlier tree to compare with. */
  | { readonly kind: 'begin'; readonly transfer: number; readonly root: string; readonly key: string }
  /** A tar follows, compressed or not. */
  | { readonly kind: 'begin-tar'; readonly transfer: number; readonly root: string }
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
  /** The whole tree, as v8 serializes it. */
  | { readonly kind: 'done'; readonly transfer: number; readonly tree: Uint8Array }
  | {
      readonly kind: 'failed';
      readonly transfer: number;
      readonly message: string;
      readonly invalid: boolean;
    };
