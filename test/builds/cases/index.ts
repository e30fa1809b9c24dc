import type { BuildCase } from '../build-case.ts';
import { additions } from './additions.ts';
import { copies } from './copies.ts';
import { metadata } from './metadata.ts';
import { runs } from './runs.ts';
import { stages } from './stages.ts';
import { variables } from './variables.ts';

/** The corpus: every rule of the language, and shapes that many projects have. */
export const buildCases: readonly BuildCase[] = [metadata, variables, copies, additions, runs, stages].flat();
