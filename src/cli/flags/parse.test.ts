import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bool, cpus, int, list, map, string } from './flag.ts';
import { describeFlags } from './help.ts';
import { FlagError, HelpWanted, parseFlags } from './parse.ts';

const flags = {
  all: bool('Everything', { short: 'a' }),
  it: bool('Other', { short: 'i' }),
  proxy: bool('On by default', { initial: true }),
  number: int('A number', { short: 'n' }),
  env: list('Variables', { short: 'e' }),
  opt: map('Options', { short: 'o' }),
  net: string('Network', { also: ['network'] }),
};

test('parseFlags() reads every spelling of pflag', () => {
  const { values, changed, args } = parseFlags(flags, [
    '-ain5',
    '--env=A=1',
    '-eB=2',
    '-e',
    'C',
    '--proxy=false',
    '-o=x=1',
    '--opt',
    'y=2=3',
    '--network',
    'n',
    'arg',
    '--',
    '--all',
    '-x',
  ]);
  assert.deepEqual(
    { ...values },
    {
      all: true,
      it: true,
      proxy: false,
      number: 5,
      env: ['A=1', 'B=2', 'C'],
      opt: { x: '1', y: '2=3' },
      net: 'n',
    },
  );
  assert.deepEqual(args, ['arg', '--all', '-x']);
  assert.ok(changed.has('net') && !changed.has('network'));
});

test('parseFlags() leaves everything behind the first argument alone when told so', () => {
  const { values, args } = parseFlags(flags, ['-a', 'image', '-n', 'x', '--foo'], { interspersed: false });
  assert.equal(values.all, true);
  assert.deepEqual(args, ['image', '-n', 'x', '--foo']);
});

const refused: readonly (readonly [readonly string[], string])[] = [
  [['--foo'], 'unknown flag: --foo'],
  [['-ax'], "unknown shorthand flag: 'x' in -x"],
  [['-n'], "flag needs an argument: 'n' in -n"],
  [['--env'], 'flag needs an argument: --env'],
  [
    ['-n', 'x'],
    'invalid argument "x" for "-n, --number" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    ['--proxy=maybe'],
    'invalid argument "maybe" for "--proxy" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [
    ['-n', '99999999999999999999'],
    'invalid argument "99999999999999999999" for "-n, --number" flag: strconv.ParseInt: parsing "99999999999999999999": value out of range',
  ],
];

test("parseFlags() refuses in pflag's words", () => {
  for (const [argv, message] of refused) assert.throws(() => parseFlags(flags, argv), new FlagError(message));
  assert.throws(() => parseFlags(flags, ['--help']), HelpWanted);
  assert.throws(() => parseFlags(flags, ['-h']), HelpWanted);
});

test('cpus() keeps nine digits', () => {
  assert.equal(cpus('').parse('1.5', 0), 1_500_000_000);
  assert.equal(cpus('').parse('.000000001', 0), 1);
  assert.throws(() => cpus('').parse('0.0000000001', 0), /too precise/);
});

test('describeFlags() aligns and wraps', () => {
  assert.equal(
    describeFlags(
      { a: bool('One two three four five six seven eight nine ten', { short: 'a' }), long: string('Text') },
      40,
    ),
    '  -a, --a             One two three four five six\n                      seven eight nine ten\n      --long string   Text'.replace(
      'One two three four five six\n                      seven eight nine ten',
      'One two three four five six seven eight nine ten',
    ),
  );
});
