const typeBits = 0o170000;
const goBits: Readonly<Record<number, number>> = {
  0o040000: 2 ** 31,
  0o120000: 2 ** 27,
  0o060000: 2 ** 26,
  0o020000: 2 ** 26 + 2 ** 21,
  0o010000: 2 ** 25,
  0o140000: 2 ** 24,
};

/** A stat(2) mode as Go's os.FileMode, which the Engine API carries. */
export function goFileMode(mode: number): number {
  const setuid = mode & 0o4000 ? 2 ** 23 : 0;
  const setgid = mode & 0o2000 ? 2 ** 22 : 0;
  const sticky = mode & 0o1000 ? 2 ** 20 : 0;
  return (goBits[mode & typeBits] ?? 0) + setuid + setgid + sticky + (mode & 0o777);
}
