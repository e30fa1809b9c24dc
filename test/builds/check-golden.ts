import { readFileSync, writeFileSync } from 'node:fs';

/** What the reference says of a Dockerfile under `--call check`. */
export interface CheckAnswer {
  readonly dockerfile: string;
  readonly warnings: readonly {
    readonly rule: string;
    readonly message: string;
    readonly lines: readonly number[];
  }[];
  readonly error?: { readonly message: string; readonly lines: readonly number[] };
}

const path = new URL('../golden/builds/checks.json', import.meta.url);

export const readCheckAnswers = (): CheckAnswer[] => JSON.parse(readFileSync(path, 'utf8')) as CheckAnswer[];

/** One case a line. */
export function writeCheckAnswers(answers: readonly CheckAnswer[]): void {
  writeFileSync(path, `[\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]\n`);
}
