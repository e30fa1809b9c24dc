import { unimplemented } from '#kernel';
import type { Planning } from '../planning.ts';
import { Checks } from '../checks/checks.ts';
import { readDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { parseSyntax } from '../dockerfile/parse-syntax.ts';
import { listTargets } from '../graph/outline.ts';
import type { Answer, AskedFile } from './answer.ts';
import { describeAnswer } from './describe.ts';
import { lintAnswer } from './lint.ts';
import { outlineAnswer } from './outline.ts';
import { targetsAnswer } from './targets.ts';

/** What answering a question about a file needs. */
export interface AskedBuild {
  readonly file: AskedFile;
  /** Plans it: all its stages, or those of the target. */
  plan(options: { readonly allStages: boolean }): Promise<Planning>;
  /** Tells the client of warnings that are no part of the answer. */
  warn(warnings: Planning['warnings']): void;
}

type Answerer = (asked: AskedBuild) => Answer | Promise<Answer>;

const answerers: Readonly<Record<string, Answerer>> = {
  'frontend.subrequests.describe': () => describeAnswer(),
  'frontend.targets': ({ file }) =>
    targetsAnswer(file, listTargets(readDockerfile(parseSyntax(file.text), new Checks()))),
  'frontend.outline': async (asked) => {
    const planning = await asked.plan({ allStages: false });
    asked.warn(planning.warnings);
    if (planning.kind === 'failed') throw planning.error;
    return outlineAnswer(asked.file, planning.plan.outline);
  },
  'frontend.lint': async (asked) => {
    const planning = await asked.plan({ allStages: true });
    const error = planning.kind === 'failed' ? planning.error : undefined;
    return lintAnswer(asked.file, { warnings: planning.warnings, error });
  },
};

/** Whether a question needs no more than the file itself. */
export const isAboutText = (request: string): boolean =>
  request === 'frontend.targets' || request === 'frontend.subrequests.describe';

/** Answers a question about a file, asked for by the frontend option `requestid`. Throws unimplemented for one unknown. */
export async function answerSubrequest(request: string, asked: AskedBuild): Promise<Answer> {
  const answerer = answerers[request];
  if (!answerer) throw unimplemented(`unsupported request ${request}`);
  return answerer(asked);
}
