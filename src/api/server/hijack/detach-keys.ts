import { Transform, type TransformCallback } from 'node:stream';
import { invalidArgument } from '#kernel';

/** ctrl-p, ctrl-q */
const standardKeys = Uint8Array.of(0x10, 0x11);

const controlKeys = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/**
 * Reads `ctrl-x,a`: keys parted by commas, each one character, `ctrl-` with one of `@a-z[\]^_`, or `DEL`.
 * '' gives the standard keys. Throws invalidArgument.
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return standardKeys;
  const codes = text.split(',').map((key) => {
    const code = codeOf(key);
    if (code === undefined) throw invalidArgument(`Invalid detach keys (${text}) provided`);
    return code;
  });
  return Uint8Array.from(codes);
}

function codeOf(key: string): number | undefined {
  const [byte, ...more] = Buffer.from(key);
  if (more.length === 0) return byte;
  if (key === 'DEL') return 127;
  const control = /^ctrl-(.)$/.exec(key)?.[1];
  const code = control === undefined ? -1 : controlKeys.indexOf(control);
  return code < 0 ? undefined : code;
}

/**
 * Passes input on until the keys come in a row; then calls `detach` and drops the rest. What may yet become the
 * keys is held back, and passed on once it cannot.
 */
export class DetachKeyFilter extends Transform {
  readonly #keys: Uint8Array;
  readonly #detach: () => void;
  #matched = 0;
  #detached = false;

  constructor(keys: Uint8Array, detach: () => void) {
    super();
    this.#keys = keys;
    this.#detach = detach;
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#detached) {
      callback();
      return;
    }
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched] && this.#matched > 0) {
        passed.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte === this.#keys[this.#matched]) this.#matched += 1;
      else passed.push(byte);
      if (this.#matched === this.#keys.length) {
        this.#detached = true;
        break;
      }
    }
    callback(null, Buffer.from(passed));
    if (this.#detached) this.#detach();
  }

  override _flush(callback: TransformCallback): void {
    const held = this.#keys.subarray(0, this.#detached ? 0 : this.#matched);
    callback(null, Buffer.from(held));
  }
}
