export type * from './container-record.ts';
export type * from './containers.ts';
export type { ContainersOptions, EngineHost } from './context.ts';
export { LocalContainers } from './local-containers.ts';
export type { ContainerSample } from './stats/sample.ts';
export type { StatsOptions, StatsReading } from './stats/sampler.ts';
export type { Step, StepMount, StepOptions, StepResult, Steps } from './steps.ts';
export { allCapabilities } from './spec/capabilities.ts';
