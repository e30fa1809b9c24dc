export type * from './runtime.ts';
export { createCrunRuntime, type CrunRuntimeOptions } from './crun/crun-runtime.ts';
export { runSupervisor, type SupervisorProgram } from './supervisor/program.ts';
export type { LogSink, OpenLog, StreamName } from './supervisor/sink.ts';
export { supervisorArguments } from './crun/supervisor-process.ts';
