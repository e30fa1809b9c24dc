const controls: Readonly<Record<string, number>> = {
  'ctrl-@': 0,
  'ctrl-[': 27,
  'ctrl-\\': 28,
  'ctrl-]': 29,
  'ctrl-^': 30,
  'ctrl-_': 31,
  DEL: 127,
};

/** Reads `ctrl-p,ctrl-q` into bytes. Throws Docker's text. */
export function parseDetachKeys(text: string): Uint8Array {
  const bytes = text.split(',').map((key) => {
    const control = controls[key];
    if (control !== undefined) return control;
    const letter = /^ctrl-([a-z])$/.exec(key)?.[1];
    if (letter !== undefined) return letter.charCodeAt(0) - 96;
    if (key.length === 1) return key.charCodeAt(0);
    throw new Error(`Unknown character: '${key}'`);
  });
  return Uint8Array.from(bytes);
}

/** ctrl-p ctrl-q */
export const defaultDetachKeys = Uint8Array.of(16, 17);

/** The user typed the detach keys. */
export class Detached extends Error {
  override readonly name = 'Detached';
  constructor() {
    super('read escape sequence');
  }
}

/**
 * Passes input on until the keys come in a row, possibly over several reads; the keys themselves are held back,
 * and given out again when what follows does not complete them. Throws Detached.
 */
export async function* untilDetached(
  input: AsyncIterable<Uint8Array>,
  keys: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  let matched = 0;
  for await (const chunk of input) {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched += 1;
        if (matched < keys.length) continue;
        if (passed.length > 0) yield Uint8Array.from(passed);
        throw new Detached();
      }
      passed.push(...keys.subarray(0, matched));
      matched = byte === keys[0] ? 1 : 0;
      if (matched === 0) passed.push(byte);
    }
    if (passed.length > 0) yield Uint8Array.from(passed);
  }
}
