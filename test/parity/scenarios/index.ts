import type { Scenario } from '../scenario.ts';
import { createScenario } from './create.ts';
import { fileScenarios } from './files.ts';
import { inspectScenarios } from './inspect.ts';
import { lifecycleScenarios } from './lifecycle.ts';
import { processScenarios } from './processes.ts';
import { streamScenarios } from './streams.ts';

/** One for each operation of containers and execs. */
export const scenarios: readonly Scenario[] = [
  createScenario,
  ...inspectScenarios,
  ...lifecycleScenarios,
  ...streamScenarios,
  ...fileScenarios,
  ...processScenarios,
];
