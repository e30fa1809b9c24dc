import { readFileSync, writeFileSync } from 'node:fs';
import type { Call } from './call-cases.ts';

/** What the command line shows of an answer, with its exit code. */
export interface CallAnswer {
  readonly dockerfile: string;
  readonly call: Call;
  readonly json: string;
  readonly text: string;
  /** Of the call for text. */
  readonly code: number;
}

const path = new URL('../golden/builds/calls.json', import.meta.url);

export const readCallAnswers = (): CallAnswer[] => JSON.parse(readFileSync(path, 'utf8')) as CallAnswer[];

/** One answer a line. */
export function writeCallAnswers(answers: readonly CallAnswer[]): void {
  writeFileSync(path, `[\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]\n`);
}
