import type { AcceptedDifference } from './scenario.ts';

/** Why whole groups of answers differ. */

const clientsFault = 'what the client did wrong is never told as an error of the engine';
const early = 'refused when it is asked for; the reference refuses, or fails, at the start';

const at = (step: string, cause: string, path: string): AcceptedDifference => ({ step, path, cause });

/** Status 500 of the reference, 400 or another one of the client's faults here. */
export const faultsOfClients = (...steps: readonly string[]): readonly AcceptedDifference[] =>
  steps.flatMap((step) => [at(step, clientsFault, 'status'), at(step, clientsFault, 'body.message')]);

/** As faultsOfClients(), in the reference's words. */
export const statusOfFaults = (...steps: readonly string[]): readonly AcceptedDifference[] =>
  steps.map((step) => at(step, clientsFault, 'status'));

/** Created by the reference, refused here; `seen` is the inspection that follows. */
export const refusedEarly = (...steps: readonly string[]): readonly AcceptedDifference[] =>
  steps.flatMap((step) => [
    at(step, early, 'status'),
    at(step, early, 'body.*'),
    at(`${step}, seen`, early, ''),
  ]);
