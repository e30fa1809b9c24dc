interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

interface Condition {
  readonly operator: string;
  /** Parts that are given; a wildcard ends them. */
  readonly numbers: readonly number[];
  readonly pre: readonly string[];
}

const versionText = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;
const conditionText =
  /^\s*(=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^)?\s*v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?/;

/** Whether a version fits a constraint: `>= 1.2, < 2 || ^3`. Throws `invalid semantic version`. */
export function versionFits(versionSource: string, constraint: string): boolean {
  const match = versionText.exec(versionSource);
  if (!match) throw new Error('invalid semantic version');
  const version: Version = {
    numbers: [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)],
    pre: match[4]?.split('.') ?? [],
  };
  return constraint
    .split('||')
    .map((each) => parseConditions(each, constraint))
    .some((conditions) => conditions.every((condition) => fits(version, condition)));
}

function parseConditions(text: string, whole: string): Condition[] {
  const expanded = text.replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2');
  const conditions: Condition[] = [];
  let rest = expanded;
  for (;;) {
    const match = conditionText.exec(rest);
    if (!match) throw new Error(`improper constraint: ${whole}`);
    const given: readonly (string | undefined)[] = match.slice(2, 5);
    const parts = given.map((part) => (part === undefined || /[xX*]/.test(part) ? undefined : Number(part)));
    const until = parts.indexOf(undefined);
    const numbers = parts.slice(0, until < 0 ? 3 : until).map(Number);
    conditions.push({ operator: match[1] ?? '', numbers, pre: match[5]?.split('.') ?? [] });
    rest = rest.slice(match[0].length).replace(/^\s*,?\s*/, '');
    if (rest === '') return conditions;
  }
}

function compareVersions(a: Version, b: Version): number {
  for (const [at, number] of a.numbers.entries()) {
    const other = b.numbers[at] ?? 0;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let at = 0; at < Math.max(a.pre.length, b.pre.length); at += 1) {
    const order = comparePart(a.pre[at], b.pre[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Math.sign(Number(a) - Number(b));
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : 1;
}

function fits(version: Version, { operator, numbers, pre }: Condition): boolean {
  const [major = 0, minor = 0, patch = 0] = numbers;
  const wanted: Version = { numbers: [major, minor, patch], pre };
  // A version before a release fits only what names one.
  if (version.pre.length > 0 && pre.length === 0 && operator !== '!=') return false;
  const order = compareVersions(version, wanted);
  // Of `1.2` all versions that begin so are the same.
  const isSame = numbers.length < 3 ? sameUpTo(version, numbers, numbers.length) : order === 0;
  const rule = rules[operator.replace('=>', '>=').replace('=<', '<=').replace('~>', '~')];
  return rule ? rule(order, isSame, (count) => sameUpTo(version, numbers, count), numbers) : isSame;
}

type Rule = (
  order: number,
  isSame: boolean,
  sharesFirst: (count: number) => boolean,
  numbers: readonly number[],
) => boolean;

/** By operator; what has none is equality. */
const rules: Readonly<Record<string, Rule>> = {
  '!=': (_order, isSame) => !isSame,
  '>': (order, isSame) => order > 0 && !isSame,
  '<': (order) => order < 0,
  '>=': (order) => order >= 0,
  '<=': (order, isSame) => order <= 0 || isSame,
  '^': (order, _isSame, sharesFirst, numbers) => order >= 0 && sharesFirst(leading(numbers)),
  '~': (order, _isSame, sharesFirst, numbers) => order >= 0 && sharesFirst(Math.min(numbers.length, 2)),
};

const sameUpTo = (version: Version, numbers: readonly number[], count: number): boolean =>
  numbers.slice(0, count).every((number, at) => version.numbers[at] === number);

/** Up to the first number that is not 0. */
function leading(numbers: readonly number[]): number {
  const at = numbers.findIndex((number) => number !== 0);
  return at < 0 ? numbers.length : at + 1;
}
