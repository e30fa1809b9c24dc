/** Asks the reference engine's builder about each case of check-cases.ts and writes what it says as golden file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../setup/index.ts';
import { checkCases } from './check-cases.ts';
import { writeCheckAnswers } from './check-golden.ts';
import type { CheckAnswer } from './check-golden.ts';

interface Ranges {
  readonly ranges?: readonly {
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  }[];
}
interface Answer {
  readonly warnings: readonly { ruleName: string; detail: string; location: Ranges }[] | null;
  readonly buildError?: { readonly message: string; readonly location: Ranges };
}

const linesOf = ({ ranges = [] }: Ranges): number[] => ranges.map(({ start }) => start.line);

async function ask(dockerfile: string): Promise<CheckAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-check-'));
  try {
    await writeFile(join(folder, 'Dockerfile'), dockerfile);
    const words = ['buildx', 'build', '--call', 'check,format=json', folder];
    const { stdout, stderr } = await command('docker', words, { timeout: 60_000 });
    const { warnings, buildError } = stdout === '' ? refusal(stderr) : (JSON.parse(stdout) as Answer);
    return {
      dockerfile,
      warnings: (warnings ?? []).map(({ ruleName, detail, location }) => ({
        rule: ruleName,
        message: detail,
        lines: linesOf(location),
      })),
      ...(buildError && { error: { message: buildError.message, lines: linesOf(buildError.location) } }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is refused before there is anything to check comes as text. */
function refusal(text: string): Answer {
  const message = /^ERROR: (?:failed to build: failed to solve: )?(.*)$/m.exec(text)?.[1];
  if (message === undefined) throw new Error(text);
  const line = /^Dockerfile:(\d+)$/m.exec(text)?.[1];
  const ranges = line === undefined ? [] : [{ start: { line: Number(line) }, end: { line: Number(line) } }];
  return { warnings: null, buildError: { message, location: { ranges } } };
}

const answers: CheckAnswer[] = [];
const open = checkCases.entries();
async function work(): Promise<void> {
  for (const [index, dockerfile] of open) {
    answers[index] = await ask(dockerfile).catch((error: unknown) => {
      throw new Error(`no answer for ${JSON.stringify(dockerfile)}`, { cause: error });
    });
  }
}
await Promise.all([work(), work(), work()]);
writeCheckAnswers(answers);
console.log(`${answers.length} cases recorded`);
