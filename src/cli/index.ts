export { runProgram } from './program.ts';
export type { Surroundings } from './program.ts';
export { descriptorOutput } from './output.ts';
export { processTerminal } from './terminal/terminal.ts';
