import type { Scenario } from '../scenario.ts';
import { createScenario } from './create.ts';
import { fileScenarios } from './files.ts';
import { imageMakingScenarios } from './image-making.ts';
import { imageScenarios } from './images.ts';
import { inspectScenarios } from './inspect.ts';
import { lifecycleScenarios } from './lifecycle.ts';
import { processScenarios } from './processes.ts';
import { registryScenarios } from './registries.ts';
import { streamScenarios } from './streams.ts';

/** One for each operation of containers, execs and images. */
export const scenarios: readonly Scenario[] = [
  createScenario,
  ...inspectScenarios,
  ...lifecycleScenarios,
  ...streamScenarios,
  ...fileScenarios,
  ...processScenarios,
  ...imageScenarios,
  ...imageMakingScenarios,
  ...registryScenarios,
];
