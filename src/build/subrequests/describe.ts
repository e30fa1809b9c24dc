import { goJson, version, type Answer } from './answer.ts';
import { columns } from './columns.ts';

const named = (names: readonly string[]): object[] => names.map((name) => ({ name, description: '' }));

const prefix = 'frontend.';

const request = (name: string, description: string, options: readonly object[] | null): object => ({
  name: prefix + name,
  version,
  type: 'rpc',
  description,
  opts: options,
  inputs: null,
  metadata: named(['result.json', 'result.txt']),
  refs: null,
});

/** As BuildKit's frontend answers, which does not name the check. */
const described: readonly (readonly [
  name: string,
  description: string,
  options: readonly object[] | null,
])[] = [
  [
    'outline',
    'List all parameters current build target supports',
    [{ name: 'target', description: 'Target build stage' }],
  ],
  ['targets', 'List all targets current build supports', []],
  ['subrequests.describe', 'List available subrequest types', null],
];

/** `frontend.subrequests.describe`: what can be asked for. */
export const describeAnswer = (): Answer => ({
  'result.json': goJson(described.map((row) => request(...row))),
  'result.txt': columns(
    [['NAME', 'VERSION', 'DESCRIPTION'], ...described.map(([name, text]) => [name, version, text])],
    1,
  ),
  version,
});
