/** Bits of each class in `ugoa`. */
const classes: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

const permissions: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 };

/**
 * A file's mode after `--chmod`: an octal number replaces it, symbolic clauses (POSIX chmod(1): `u=rwX,go-w`) change it.
 * The clauses have been checked before.
 */
export function changedMode(change: number | string, mode: number, isFolder: boolean): number {
  if (typeof change === 'number') return change;
  return change.split(',').reduce((current, clause) => applyClause(clause, current, isFolder), mode);
}

function applyClause(clause: string, before: number, isFolder: boolean): number {
  const who = /^[ugoa]*/.exec(clause)?.[0] ?? '';
  const mask = who === '' ? 0o7777 : Array.from(who).reduce((bits, each) => bits | (classes[each] ?? 0), 0);
  let mode = before;
  for (const [, operator, what = ''] of clause.slice(who.length).matchAll(/([-+=])([rwxXstugo]*)/g)) {
    const bits = bitsOf(what, mode, isFolder) & mask;
    if (operator === '+') mode |= bits;
    else if (operator === '-') mode &= ~bits;
    else mode = (mode & ~(mask & (isFolder ? 0o1777 : 0o7777))) | bits;
  }
  return mode;
}

function bitsOf(what: string, mode: number, isFolder: boolean): number {
  let bits = 0;
  for (const each of what) {
    if (each === 'X') bits |= isFolder || (mode & 0o111) !== 0 ? 0o111 : 0;
    else if (each === 'u') bits |= spread(mode >> 6);
    else if (each === 'g') bits |= spread(mode >> 3);
    else if (each === 'o') bits |= spread(mode);
    else bits |= permissions[each] ?? 0;
  }
  return bits;
}

/** The permissions of one class for all three. */
const spread = (bits: number): number => (bits & 7) * 0o111;
