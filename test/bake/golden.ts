import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BakeAnswer } from './bake-case.ts';

const path = join(import.meta.dirname, '../golden/bake/answers.json');

export const readBakeAnswers = (): Readonly<Record<string, BakeAnswer>> =>
  JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, BakeAnswer>>;

export const writeBakeAnswers = (answers: Readonly<Record<string, BakeAnswer>>): void =>
  writeFileSync(path, `${JSON.stringify(answers, undefined, 1)}\n`);
