import type { Scenario } from '../scenario.ts';
import { lifecycleScenarios } from './lifecycle.ts';

/** One for each operation of containers and execs. */
export const scenarios: readonly Scenario[] = [...lifecycleScenarios];
